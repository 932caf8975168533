"""A program that writes sessions until it is killed, and says what it does before and after it.

usage: crash_writer.py URL ID

For each line on its input it forks a writer for each number in it, since to start Python takes as
long as ten rounds of this. Says ``[number, "pid", pid]`` of each, and ``[number, "dead"]``.
"""

from __future__ import annotations

import collections.abc as cabc
import json
import os
import random
import signal
import sys
import typing as t

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.cookie import Set
from sessionkit.errors import SessionError
from sessionkit.stores import open_store

#: How many sessions a writer has at a time.
SLOTS = 4

_OPERATIONS = ("write", "write", "write", "renew", "login", "logout")

Say = cabc.Callable[..., None]


def content(n: int) -> bytes:
    """Return what a session holds beside the number *n*: up to five pages of a database."""
    return (b"%d," % n) * (n * 7919 % 4000)


def main(url: str, counter_id: str) -> None:
    open_store(url)  # what it imports takes longer than most writers live

    for line in sys.stdin:
        children = dict(_fork(int(number), url, counter_id) for number in line.split())

        for pid, number in children.items():
            say(number, "pid", pid)

        while children:
            say(children.pop(os.wait()[0]), "dead")


def _fork(number: int, url: str, counter_id: str) -> tuple[int, int]:
    pid = os.fork()

    if pid == 0:
        try:
            _Writer(number, url, counter_id).run()
        finally:
            os._exit(0)

    return pid, number


def say(number: int, *rest: t.Any) -> None:
    # One short write, which a pipe takes as a whole or not at all.
    os.write(1, json.dumps([number, *rest]).encode() + b"\n")


class _Writer:
    def __init__(self, number: int, url: str, counter_id: str) -> None:
        self._number = number
        self._manager = SessionManager(open_store(url))
        self._random = random.Random(number)
        self._counter = f"sid={counter_id}"
        self._slots: dict[int, tuple[str, str]] = {}
        self._n = 0

    def run(self) -> None:
        try:
            while True:
                if self._random.random() < 0.2:
                    self._count()
                else:
                    self._change(self._random.randrange(SLOTS))
        except SessionError:
            # The server was killed; what became of the last change, nobody knows.
            signal.pause()

    def _count(self) -> None:
        say(self._number, "count")
        session = self._manager.open(self._counter)
        session.mutate("count", lambda count: count + 1, 0)
        self._manager.commit(session)
        say(self._number, "counted")

    def _change(self, slot: int) -> None:
        self._n += 1
        owner, cookie = self._slots.pop(slot, ("", ""))
        operation = self._random.choice(_OPERATIONS) if owner else "login"

        if operation == "login":
            owner = f"{self._number}.{slot}.{self._n}"

        say(self._number, "begin", slot, operation, owner, self._n)
        session = self._manager.open(cookie and f"sid={cookie}")
        self._apply(session, operation, owner)
        instruction = self._manager.commit(session)

        if isinstance(instruction, Set):
            cookie = instruction.value

        if operation != "logout":
            self._slots[slot] = owner, cookie

        say(self._number, "done", slot, cookie)

    def _apply(self, session: Session, operation: str, owner: str) -> None:
        if operation == "logout":
            session.destroy()
            return

        if operation == "login":
            session.bind(owner)
        elif operation == "renew":
            session.renew()

        session["n"] = self._n
        session["owner"] = owner
        session["content"] = content(self._n)


if __name__ == "__main__":
    main(*sys.argv[1:])
