"""What processes do to a store that they share. Functions of a module, so that they are found."""

from __future__ import annotations

import hashlib
import itertools
import time
import typing as t

from sessionkit.store import Moving
from sessionkit.store import Record
from sessionkit.store import Store

from ._support import Meeting
from ._support import present
from .records import new_record
from .records import successor

PATIENCE = 30.0


def create(store: Store, meeting: Meeting, number: int, keys: list[str]) -> list[bool]:
    """Create each key at the same moment as the others."""
    results: list[bool] = []
    for turn, key in enumerate(keys):
        record = new_record(b"%d" % number, owner=None if turn % 2 else f"owner {number}")
        meeting.wait(PATIENCE)
        results.append(store.swap(key, None, record))
    return results


def replace(store: Store, meeting: Meeting, number: int, keys: list[str]) -> list[bool]:
    """Replace what all saw under each key at the same moment as the others."""
    results: list[bool] = []
    for key in keys:
        expected = present(store, key)
        record = successor(expected, b"%d" % number, owner=expected.owner and f"owner {number}")
        meeting.wait(PATIENCE)
        results.append(store.swap(key, expected, record))
    return results


def replace_or_delete(store: Store, meeting: Meeting, number: int, keys: list[str]) -> list[bool]:
    """Replace (even numbers) or delete (odd numbers) what all saw under each key."""
    results: list[bool] = []
    for key in keys:
        expected = present(store, key)
        meeting.wait(PATIENCE)
        if number % 2:
            results.append(store.delete(key, expected))
        else:
            results.append(store.swap(key, expected, successor(expected, b"%d" % number)))
    return results


def move(store: Store, meeting: Meeting, number: int, keys: list[str]) -> list[bool]:
    """Move what all saw under each key to a key of this process's own."""
    assert isinstance(store, Moving)  # noqa: S101
    results: list[bool] = []
    for key in keys:
        expected = present(store, key)
        stub = successor(expected, b"%d" % number, owner=None)
        record = new_record(b"%d" % number, owner=f"owner {number}")
        meeting.wait(PATIENCE)
        results.append(store.move(key, expected, stub, own_key(key, number), record))
    return results


def own_key(key: str, number: int) -> str:
    """Return the key that process *number* moves *key* to."""
    return hashlib.sha256(f"{key} {number}".encode()).hexdigest()


def count_up(store: Store, meeting: Meeting, number: int, argument: tuple[str, int]) -> int:
    """Add one to the number under a key, so many times; return how many swaps were lost."""
    key, times = argument
    lost = 0
    meeting.wait(PATIENCE)
    for _ in range(times):
        while True:
            record = present(store, key)
            changed = successor(record, b"%d" % (int(record.payload) + 1))
            if store.swap(key, record, changed):
                break
            lost += 1
    return lost


def change_owners(store: Store, meeting: Meeting, number: int, keys: list[str]) -> None:
    """Give each record to one owner after the other."""
    meeting.wait(PATIENCE)
    for turn, key in enumerate(keys * 10):
        owner = (None, "ann", "bob")[(turn // len(keys) + number) % 3]
        record = present(store, key)
        store.swap(key, record, successor(record, owner=owner))


def write_until_gone(store: Store, meeting: Meeting, number: int, key: str) -> int:
    """Write until the session is gone; return how many writes succeeded."""
    written = 0
    meeting.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        record = store.get(key)
        if record is None:
            return written
        written += store.swap(key, record, successor(record))
    raise AssertionError("it is never gone")


def end(store: Store, meeting: Meeting, number: int, key: str) -> int:
    """Process 0 ends the session that the others write to."""
    if number:
        return write_until_gone(store, meeting, number, key)
    meeting.wait(PATIENCE)
    time.sleep(0.05)
    tries = 1
    while not store.delete(key, present(store, key)):
        tries += 1
    return tries


def scripted_key(seed: str, turn: int) -> str:
    """Return the key that :func:`work_until_killed` uses in this turn."""
    return hashlib.sha256(f"{seed} {turn}".encode()).hexdigest()


def work_until_killed(opener: t.Any, seed: str, sender: t.Any) -> None:
    """Create sessions of an owner, give them to another one, move and delete them, for ever."""
    store: Store = opener()
    for turn in itertools.count():
        key = scripted_key(seed, turn)
        first = new_record(b"%d" % turn, owner="ann")
        store.swap(key, None, first)
        second = successor(first, b"%d" % turn, owner="bob" if turn % 2 else "ann")
        store.swap(key, first, second)
        if turn % 3 == 1:
            store.delete(key, second)
        elif turn % 3 == 2 and isinstance(store, Moving):
            stub = successor(second, b"%d" % turn, owner=None)
            record: Record = new_record(b"%d" % turn, owner="ann")
            store.move(key, second, stub, scripted_key(f"{seed} moved", turn), record)
        if turn in (0, 20):
            sender.send(turn)
