"""Locks that a fork waits for."""

from __future__ import annotations

import os
import threading
import time

import pytest

from sessionkit.stores import _forklock
from sessionkit.stores._forklock import fork_lock

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_what_is_locked_first_while_a_fork_waits_is_free_in_the_child() -> None:
    known = fork_lock()
    made = threading.Event()
    statuses: list[int] = []

    def fork() -> None:
        if not (pid := os.fork()):
            os._exit(0 if known.acquire(timeout=5) else 1)
        statuses.append(os.waitpid(pid, 0)[1])

    def work() -> None:
        with fork_lock():
            made.set()

    with known:
        forking = threading.Thread(target=fork)
        forking.start()
        while not _forklock._forking.locked():
            time.sleep(0.001)
        working = threading.Thread(target=work)
        working.start()
        assert not made.wait(0.2)  # else the fork might happen in the middle of its work

    for thread in (forking, working):
        thread.join(10)
    assert made.is_set()
    assert statuses == [0]
