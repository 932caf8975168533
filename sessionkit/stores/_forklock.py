"""Locks that a fork waits for.

A child must not inherit a lock held by a thread that it does not have, nor what that thread had
changed by half.
"""

from __future__ import annotations

import os
import threading
import weakref

_locks: list[weakref.ref[threading.Lock]] = []
_forking = threading.Lock()
_held: list[threading.Lock] = []


def fork_lock() -> threading.Lock:
    """Return a lock that is free in a forked child. Not to be held while forking.

    Not to be called by who holds one: a fork that has begun would wait for that one, and this for
    the fork, since it would not wait for a lock that it does not know.
    """
    lock = threading.Lock()
    with _forking:
        _locks.append(weakref.ref(lock, _locks.remove))
    return lock


def _before() -> None:
    _forking.acquire()
    for reference in tuple(_locks):
        lock = reference()
        if lock is not None:
            lock.acquire()
            _held.append(lock)


def _after_in_parent() -> None:
    while _held:
        _held.pop().release()
    _forking.release()


def _after_in_child() -> None:
    global _forking  # noqa: PLW0603
    while _held:
        _held.pop().release()
    # Not released: uWSGI calls this, if told to, without the one before.
    _forking = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
