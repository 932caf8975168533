"""The processes that races are run in, one after the other."""

from __future__ import annotations

import os
import typing as t

import pytest

from sessionkit.stores.memory import MemoryStore
from sessionkit.testing._support import Meeting
from sessionkit.testing._workers import in_processes


def pid(store: MemoryStore, meeting: Meeting, number: int, argument: str) -> int:
    meeting.wait(20)
    return os.getpid()


def variable(store: MemoryStore, meeting: Meeting, number: int, argument: str) -> str | None:
    return os.environ.get(argument)


def records(store: MemoryStore, meeting: Meeting, number: int, argument: object) -> int:
    return len([*store.keys()])


def fail(store: MemoryStore, meeting: Meeting, number: int, argument: str) -> None:
    if number == 1:
        raise RuntimeError(argument)


def die(store: MemoryStore, meeting: Meeting, number: int, argument: object) -> None:
    if number == 1:
        os._exit(1)


def run(task: t.Any, argument: object = "") -> list[t.Any]:
    return in_processes(MemoryStore, task, argument, count=2)


def test_they_are_kept_and_each_task_has_a_store_of_its_own() -> None:
    first = run(pid)
    assert len({*first, os.getpid()}) == 3
    assert run(records) == [0, 0]
    assert run(pid) == first


def test_they_see_what_a_new_process_would_see(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(variable, "OF_THIS_TEST") == [None, None]
    monkeypatch.setenv("OF_THIS_TEST", "here")
    assert run(variable, "OF_THIS_TEST") == ["here", "here"]


def test_after_a_failure_there_are_new_ones() -> None:
    before = run(pid)

    with pytest.raises(AssertionError, match=r"in a process:(.|\n)*RuntimeError: a reason"):
        run(fail, "a reason")

    with pytest.raises(AssertionError, match="a process died"):
        run(die)

    assert not {*before} & {*run(pid)}
