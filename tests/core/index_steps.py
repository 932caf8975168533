"""What happens between two steps of a store that writes its index and its records one by one."""

from __future__ import annotations

import collections.abc as cabc
import functools
import os
import sys
import types
import typing as t

from tests.forks import fork
from tests.forks import wait

Happening = cabc.Callable[[], object]

#: Modules of the functions that a store on a disk changes the disk with.
_SYSTEM = frozenset({"posix", "fcntl"})


class Killed(BaseException):
    """The process is no more: nothing after this step is done."""


class Commands:
    """The commands of a store to its server: one is followed or preceded by something else.

    :param owner: has the methods that send commands.
    :param names: of these methods.
    """

    def __init__(self, owner: object, *names: str) -> None:
        self._happening: Happening | None = None
        self._left = 0
        self._after = False

        for name in names:
            setattr(owner, name, functools.partial(self._send, getattr(owner, name)))

    def run(self, request: Happening, number: int, after: bool, happening: Happening) -> None:
        """Let it happen at a command of *request*, if there are so many."""
        self._happening, self._left, self._after = happening, number, after

        try:
            request()
        except Killed:
            pass
        finally:
            self._happening = None

    def _send(self, send: cabc.Callable[..., t.Any], *command: t.Any) -> t.Any:
        happening, self._left = self._happening, self._left - 1

        if happening is None or self._left >= 0:
            return send(*command)

        # What happens sends commands of its own.
        self._happening = None

        if not self._after:
            happening()
            return send(*command)

        answer = send(*command)
        happening()
        return answer


def run_until_killed(request: cabc.Callable[[], str | None], number: int) -> str | None:
    """Run it in a process that is killed before it calls the system for the *number*th time.

    :return: what it returned, or an empty text in its place; None: it was killed before.
    """
    reader, writer = os.pipe()

    def child() -> None:
        left = number

        def watch(frame: types.FrameType, event: str, function: t.Any) -> None:
            nonlocal left

            if event == "c_call" and getattr(function, "__module__", None) in _SYSTEM:
                left -= 1

                if left < 0:
                    os._exit(0)

        sys.setprofile(watch)
        returned = request()
        sys.setprofile(None)
        os.write(writer, f"done {returned or ''}".encode())

    pid = fork(child)
    os.close(writer)

    with os.fdopen(reader, encoding="ascii") as pipe:
        told = pipe.read()

    wait(pid)
    return told.removeprefix("done ") if told else None
