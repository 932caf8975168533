"""A fork that Python is not told of, as uWSGI makes it: the child leaves the parent's alone."""

from __future__ import annotations

import os

import pytest

from sessionkit.stores._freelist import FreeList

closed: list[object] = []


def free_list(*, empty_before_fork: bool) -> FreeList[object]:
    closed.clear()
    connections: FreeList[object] = FreeList(
        object, closed.append, max_idle=4, empty_before_fork=empty_before_fork
    )
    connections.give(connections.new())
    return connections


@pytest.mark.parametrize("empty_before_fork", [False, True], ids=["redis", "sqlite"])
def test_a_child_takes_no_connection_of_its_parent(
    monkeypatch: pytest.MonkeyPatch, *, empty_before_fork: bool
) -> None:
    connections = free_list(empty_before_fork=empty_before_fork)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert connections.idle() is None
    own = connections.new()
    connections.give(own)
    assert connections.idle() is own
    # What SQLite has opened in another process may not even be closed.
    assert len(closed) == (0 if empty_before_fork else 1)


def test_a_child_that_ends_closes_nothing_of_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    connections = free_list(empty_before_fork=True)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    connections.drain()
    assert closed == []


def test_a_child_does_not_wait_for_a_thread_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    connections = free_list(empty_before_fork=True)
    connections._gate.acquire()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert connections.new() is not None
