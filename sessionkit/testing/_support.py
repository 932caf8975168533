"""What the conformance tests share: capabilities, comparisons, threads and processes."""

from __future__ import annotations

import collections.abc as cabc
import threading
import typing as t
import unittest

from sessionkit.store import Record
from sessionkit.store import Store

from .records import new_key
from .records import new_record

T = t.TypeVar("T")

#: A picklable function without arguments that opens a store on the same data.
Opener = cabc.Callable[[], Store]

PATIENCE = 60.0


def skip(reason: str) -> t.NoReturn:
    raise unittest.SkipTest(reason)  # pytest takes it for its own, and is not imported for it


def able(store: Store, capability: type[T]) -> T:
    """Return *store* as what has this capability, or skip the test."""
    if not isinstance(store, capability):
        skip(f"{type(store).__name__} is not {capability.__name__}")
    return store


def fields(record: Record | None) -> tuple[bytes, int, float, str | None] | None:
    """Return what must be equal, of a record that may be a subclass."""
    if record is None:
        return None
    return record.payload, record.version, record.expires_at, record.owner


def present(store: Store, key: str) -> Record:
    record = store.get(key)
    assert record is not None, "the record is lost"  # noqa: S101
    return record


def filled(store: Store, count: int, owner: str | None = None) -> list[str]:
    """Store *count* records; return their keys."""
    keys = [new_key() for _ in range(count)]
    for key in keys:
        assert store.swap(key, None, new_record(b"first", owner=owner))  # noqa: S101
    return keys


def in_threads(functions: cabc.Sequence[cabc.Callable[[], T]]) -> list[T]:
    """Run each in a thread of its own, all at the same moment; return what they returned."""
    barrier = threading.Barrier(len(functions))
    results: dict[int, T] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(PATIENCE)
            results[number] = functions[number]()
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread of the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        if thread.is_alive():
            raise AssertionError("a thread hangs")
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(functions))]


class Meeting(t.Protocol):
    """Where processes wait for each other."""

    def wait(self, timeout: float | None = None) -> int: ...


#: What a process does: a function of a module, of its store, where it meets the others, its number.
Task = cabc.Callable[[Store, Meeting, int, t.Any], t.Any]
