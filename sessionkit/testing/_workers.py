"""Processes for races, kept for the next one: to start Python takes longer than most of them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import traceback
import typing as t

from sessionkit.store import Closeable

from ._support import PATIENCE
from ._support import Meeting
from ._support import Opener
from ._support import Task


class _Workers:
    """Processes that do one task after the other, each time with a store of their own."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        # It is gone as soon as nobody has it here, and the others come to it later.
        self._meeting = context.Barrier(count)
        pipes = [context.Pipe() for _ in range(count)]
        self._surroundings = _surroundings()
        self._pipes = [ours for ours, _ in pipes]
        self._processes = [
            context.Process(target=_serve, args=(self._meeting, number, theirs), daemon=True)
            for number, (_, theirs) in enumerate(pipes)
        ]
        for process, (_, theirs) in zip(self._processes, pipes, strict=True):
            process.start()
            theirs.close()

    def are_as_new(self, count: int) -> bool:
        """Whether *count* new ones would be no different."""
        alive = [process for process in self._processes if process.is_alive()]
        return len(alive) == count and self._surroundings == _surroundings()

    def run(self, opener: Opener, task: Task, argument: object) -> list[t.Any]:
        for pipe in self._pipes:
            pipe.send_bytes(pickle.dumps((opener, task, argument)))
        return [_result(pipe) for pipe in self._pipes]

    def end(self) -> None:
        for process, pipe in zip(self._processes, self._pipes, strict=True):
            pipe.close()
            process.kill()
            process.join()
            process.close()


#: At most one set of workers, which nobody uses at the moment.
_kept: list[_Workers] = []


def in_processes(opener: Opener, task: Task, argument: object, count: int = 4) -> list[t.Any]:
    """Run *task* in *count* processes, each with a store of its own; return the results."""
    workers = _kept.pop() if _kept else _Workers(count)
    if not workers.are_as_new(count):
        workers.end()
        workers = _Workers(count)
    try:
        results = workers.run(opener, task, argument)
    except BaseException:
        workers.end()
        raise
    _kept.append(workers)
    return results


def _surroundings() -> object:
    """Return what a process takes over from the one that starts it."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return os.getcwd(), [*sys.path], environ  # noqa: PTH109 - as text


def _result(pipe: t.Any) -> t.Any:
    if not pipe.poll(PATIENCE):
        raise AssertionError("a process hangs")
    try:
        failure, result = pipe.recv()
    except (EOFError, ConnectionError):
        raise AssertionError("a process died") from None
    if failure:
        raise AssertionError(f"in a process:\n{failure}")
    return result


def _serve(meeting: Meeting, number: int, pipe: t.Any) -> None:
    while True:
        try:
            order = pipe.recv_bytes()
        except (EOFError, ConnectionError):
            return  # nobody has races any more
        try:
            answer = "", _perform(order, meeting, number)
        except BaseException:  # noqa: BLE001 - shown by the test
            answer = traceback.format_exc(), None
        pipe.send(answer)


def _perform(order: bytes, meeting: Meeting, number: int) -> t.Any:
    opener, task, argument = pickle.loads(order)  # noqa: S301 - from whoever started this process
    store = opener()
    try:
        return task(store, meeting, number, argument)
    finally:
        if isinstance(store, Closeable):
            store.close()
