"""Readers without a lock see a whole session, old or new."""

from __future__ import annotations

import functools
import os
import random
import time
from pathlib import Path

import pytest

from sessionkit.store import Record
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing._support import in_threads
from tests.forks import fork
from tests.forks import wait
from tests.stores.file.support import SIZES
from tests.stores.file.support import file_of
from tests.stores.file.support import replace
from tests.stores.file.support import write


def payload_of(version: int) -> bytes:
    size = SIZES[version * 7919 % len(SIZES)]
    return b"%d," % version * (size // 8)


def keep_writing(store: FileStore, key: str, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        record = store.get(key)
        assert record is not None
        store.swap(
            key,
            record,
            record._replace(
                payload=payload_of(record.version + 1),
                version=record.version + 1,
                owner=random.choice((record.owner, "ann", None)),
            ),
        )


def keep_reading(store: FileStore, key: str, seconds: float) -> None:
    give_up, version = time.monotonic() + seconds, 0
    while time.monotonic() < give_up:
        record = store.get(key)
        assert record is not None, "the session was away for a moment"
        assert record.version >= version, "an older record came back"
        assert record.payload == payload_of(record.version), "a record is torn"
        version = record.version
    assert version > 10


class TestReaders:
    """They take no lock, and see each write as a whole and in order."""

    def test_in_other_processes(self, path: Path) -> None:
        store, key = FileStore(path), new_key()
        assert store.swap(key, None, Record(payload_of(1), 1, time.time() + 60))
        work = [keep_writing, keep_reading, keep_reading]
        for child in [fork(functools.partial(one, store, key, 1.0)) for one in work]:
            wait(child)

    def test_in_threads(self, path: Path) -> None:
        store, key = FileStore(path), new_key()
        assert store.swap(key, None, Record(payload_of(1), 1, time.time() + 60))
        work = [keep_writing, keep_reading, keep_writing, keep_reading]
        in_threads([functools.partial(one, store, key, 1.0) for one in work])


def test_a_reader_that_was_overtaken_looks_again(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has seen the older of the two slots when both are written, one after the other."""
    key = write(store, bytes(5000))
    replace(store, key, bytes(5001))
    newest: list[Record] = []
    really_read = os.pread

    def overtake(descriptor: int, size: int, offset: int) -> bytes:
        if not newest:
            monkeypatch.undo()
            newest.append(replace(store, key, bytes(5002)))
            with file_of(store, key).open("r+b") as file:
                file.seek(offset)
                file.write(b"begun")
        return really_read(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", overtake)
    assert store.get(key) == newest[0]


def test_a_thousand_sessions_at_once(path: Path) -> None:
    def visit(number: int) -> None:
        store = FileStore(path)

        def login() -> list[str]:
            keys = [write(store, owner=f"owner {number}") for _ in range(32)]
            for key in keys:
                replace(store, key)
            return keys

        written = {key for keys in in_threads([login] * 8) for key in keys}
        assert set(store.owned_by(f"owner {number}", 0.0)) == written

    for child in [fork(functools.partial(visit, number)) for number in range(4)]:
        wait(child)
    assert FileStore(path).count(time.time()) == 1024
