"""Idle connections of a store: a list of its own, since thread-local ones are a trap.

A server that makes a thread or greenlet per request would connect on every request.
"""

from __future__ import annotations

import collections
import collections.abc as cabc
import os
import threading
import time
import typing as t
import weakref

C = t.TypeVar("C")


class FreeList(t.Generic[C]):
    """The connection that was used last is used next, so that the others may be closed as idle.

    Whoever takes a connection gives it back, or drops it if anything was raised: what such a
    connection is in the middle of, nobody knows.

    :param connect: makes a connection.
    :param close: closes one; must not raise.
    :param max_idle: what is given back beyond this is closed.
    :param empty_before_fork: for connections that a child may not even close (SQLite): a fork waits
        until all are given back, and closes them. Others are closed by the child, which must not
        disturb the parent's end.
    """

    def __init__(
        self,
        connect: cabc.Callable[[], C],
        close: cabc.Callable[[C], None],
        *,
        max_idle: int,
        empty_before_fork: bool = False,
    ) -> None:
        self._connect = connect
        self._close = close
        self._max_idle = max_idle
        self._idle: collections.deque[C] = collections.deque()  # its pop and append are atomic
        self._open: set[C] | None = set() if empty_before_fork else None
        self._gate = threading.Lock()
        self._emptying = False
        self._process = os.getpid()

        with _forking:  # one that has begun would not wait for what is done with this one
            _lists.append(weakref.ref(self, _lists.remove))
        # A store that nobody closes is forgotten without a warning about its connections.
        weakref.finalize(self, _close_idle, self._idle, close)

    def idle(self) -> C | None:
        """Take an idle connection, if there is one."""
        # uWSGI forks behind Python's back, and two processes on one connection get each other's
        # answers.
        if self._process != os.getpid():
            self._disown()
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def new(self) -> C:
        """Take a new connection."""
        if self._process != os.getpid():
            self._disown()
        if self._open is None:
            return self._connect()
        with self._gate:
            connection = self._connect()
            self._open.add(connection)
        return connection

    def give(self, connection: C) -> None:
        """Give a connection back that is fit for further use."""
        # Who is about to fork waits for it; the next caller would be faster to take it.
        if len(self._idle) < self._max_idle and not self._emptying:
            self._idle.append(connection)
        else:
            self.drop(connection)

    def drop(self, connection: C) -> None:
        """Close a connection."""
        self._close(connection)
        if self._open is not None:
            self._open.discard(connection)

    def drain(self) -> None:
        """Close all idle connections."""
        if self._process != os.getpid():
            self._disown()
        self._close_idle()

    def _close_idle(self) -> None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            self.drop(connection)

    def before_fork(self) -> None:
        if self._open is None:
            return
        self._gate.acquire()
        self._emptying = True
        give_up = time.monotonic() + 1.0
        self.drain()
        while self._open and time.monotonic() < give_up:
            time.sleep(0.0005)
            self.drain()

    def after_fork_in_parent(self) -> None:
        if self._open is not None:
            self._emptying = False
            self._gate.release()

    def after_fork_in_child(self) -> None:
        self._disown()

    def _disown(self) -> None:
        """Let go of what the process had that this one was forked from."""
        if self._open is None:
            self._close_idle()
        else:
            if self._open:  # a thread of the parent was too slow, or nobody has announced the fork
                _never_closed.append(self._open)
                self._idle.clear()
                self._open = set()
            self._gate = threading.Lock()
            self._emptying = False
        self._process = os.getpid()


def _close_idle(idle: collections.deque[C], close: cabc.Callable[[C], None]) -> None:
    while idle:
        close(idle.pop())


_lists: list[weakref.ref[FreeList[t.Any]]] = []
_never_closed: list[object] = []
_forking = threading.Lock()
_waiting: list[FreeList[t.Any]] = []


def _before() -> None:
    _forking.acquire()
    for reference in tuple(_lists):
        free_list = reference()
        if free_list is not None:
            free_list.before_fork()
            _waiting.append(free_list)


def _after_in_parent() -> None:
    while _waiting:
        _waiting.pop().after_fork_in_parent()
    _forking.release()


def _after_in_child() -> None:
    global _forking  # noqa: PLW0603
    while _waiting:
        _waiting.pop().after_fork_in_child()
    # Not released: uWSGI calls this, if told to, without the one before.
    _forking = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
