"""Children of the test process."""

from __future__ import annotations

import os
import signal
import sys
import traceback
import typing as t


def fork(function: t.Callable[[], object]) -> int:
    """Call *function* in a child, which has 20 seconds; return its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.alarm(20)
        function()
        status = 0
    except BaseException:  # noqa: BLE001 - told by the status
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def wait(pid: int) -> None:
    """Wait for a child, and check that all went well there."""
    assert os.waitpid(pid, 0)[1] == 0
