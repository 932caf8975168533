"""The database: whose it is, who makes it, and how it is named."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sqlite3
import stat
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from sessionkit.testing._support import in_threads
from tests.forks import fork
from tests.forks import wait
from tests.stores.sqlite.support import write


def write_after(gate: int, path: Path) -> None:
    os.read(gate, 1)
    write(SQLiteStore(path))


class TestFile:
    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
    def test_nobody_else_can_read_it(self, path: Path, umask: int) -> None:
        before = os.umask(umask)
        try:
            store = SQLiteStore(path)
            write(store)
            files = list(path.parent.iterdir())
            assert {file.name.removeprefix(path.name) for file in files} == {"", "-wal", "-shm"}
            for file in files:
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        finally:
            os.umask(before)

    def test_an_empty_file_is_used_and_closed_to_others(self, path: Path) -> None:
        path.touch(0o644)
        inode = path.stat().st_ino
        write(SQLiteStore(path))
        assert path.stat().st_ino == inode
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_table_without_times_to_sweep_at_goes_on(self, path: Path) -> None:
        live, over, now = new_key(), new_key(), time.time()
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(
                """CREATE TABLE sessionkit_sessions (key TEXT NOT NULL PRIMARY KEY,
                payload BLOB NOT NULL, version INTEGER NOT NULL, expires_at REAL NOT NULL,
                owner TEXT);
                CREATE INDEX sessionkit_sessions_expiry ON sessionkit_sessions (expires_at)"""
            )
            rows = [(live, b"a", 1, now + 60, "ann"), (over, b"b", 1, now - 60, None)]
            insert = "INSERT INTO sessionkit_sessions VALUES (?, ?, ?, ?, ?)"
            database.executemany(insert, rows)
            database.commit()
        store = SQLiteStore(path, margin=0)
        assert (store.count(now), store.sweep(now), [*store.keys()]) == (1, 1, [live])
        record = store.get(live)
        assert record is not None
        assert store.swap(live, record, successor(record))
        assert store.sweep(record.expires_at + 1_000_000) == 1
        write(store)

    def test_nothing_is_made_before_it_is_used(self, path: Path) -> None:
        SQLiteStore(path)
        assert not path.exists()

    def test_a_relative_path_is_where_we_were_when_it_was_given(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(path.parent)
        store = SQLiteStore(path.name)
        monkeypatch.chdir("/")
        write(store)
        assert path.exists()

    @pytest.mark.parametrize("name", ["a b.db", "50%.db", "what?.db", "#1.db", "%41.db", "ü.db"])
    def test_odd_names(self, path: Path, name: str) -> None:
        store = SQLiteStore(path.with_name(name))
        write(store)
        assert path.with_name(name).exists()

    def test_a_symbolic_link_is_followed(self, path: Path) -> None:
        real = path.with_name("real.db")
        path.symlink_to(real)
        key = write(SQLiteStore(path))
        assert SQLiteStore(real).get(key) is not None
        assert stat.S_IMODE(real.stat().st_mode) == 0o600

    def test_an_existing_database_is_shared(self, path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE mine (x)")
            connection.execute("INSERT INTO mine VALUES (1)")
        connection.close()
        store = SQLiteStore(path)
        write(store)
        assert store.clear() == 1
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT x FROM mine").fetchall() == [(1,)]
        connection.close()

    def test_threads_that_start_at_once(self, path: Path) -> None:
        for turn in range(10):
            file = path.with_name(f"{turn}.db")
            in_threads([functools.partial(write, SQLiteStore(file)) for _ in range(8)])
            assert SQLiteStore(file).count(time.time()) == 8

    def test_processes_that_start_at_once(self, path: Path) -> None:
        for turn in range(10):
            file = path.with_name(f"{turn}.db")
            gate, start = os.pipe()
            children = [fork(functools.partial(write_after, gate, file)) for _ in range(8)]
            os.write(start, b"12345678")
            for child in children:
                wait(child)
            os.close(gate)
            os.close(start)
            assert SQLiteStore(file).count(time.time()) == 8


class TestArguments:
    @pytest.mark.parametrize("path", ["", ":memory:"])
    def test_memory_is_another_store(self, path: str) -> None:
        with pytest.raises(ConfigurationError, match="MemoryStore"):
            SQLiteStore(path)

    @pytest.mark.parametrize("table", ["", "a b", "a;b", 'a"b', "1a", "x" * 64, "a.b"])
    def test_tables(self, path: Path, table: str) -> None:
        with pytest.raises(ConfigurationError, match="table name"):
            SQLiteStore(path, table=table)

    @pytest.mark.parametrize("name", ["margin", "busy_timeout", "max_idle"])
    def test_negative_numbers(self, path: Path, name: str) -> None:
        arguments: dict[str, t.Any] = {name: -1}
        with pytest.raises(ConfigurationError, match="negative"):
            SQLiteStore(path, **arguments)

    def test_margin(self, path: Path) -> None:
        store = SQLiteStore(path, margin=60)
        now = time.time()
        store.swap(new_key(), None, new_record(expires_at=now - 61))
        store.swap(new_key(), None, new_record(expires_at=now - 59))
        assert store.sweep(now) == 1


def test_the_owner_is_found_by_an_index(path: Path) -> None:
    store = SQLiteStore(path)
    write(store)
    sql = store._sql
    for statement in (sql.owned, sql.sweep, sql.put_off, sql.get, sql.page, sql.count):
        plan = store._database.run(
            lambda handle, sql: handle.execute(
                f"EXPLAIN QUERY PLAN {sql}", ("x", 1, 1)[: sql.count("?")]
            ).fetchall(),
            statement,
        )
        assert all(not row[3].startswith("SCAN sessionkit") for row in plan), plan


def _sweep_at(path: Path, key: str) -> float:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        query = "SELECT sweep_at FROM sessionkit_sessions WHERE key = ?"
        (found,) = connection.execute(query, (key,)).fetchone()
    return float(found)


def test_who_prolongs_a_session_changes_no_index(path: Path) -> None:
    """Until somebody sweeps: then it is looked for where it is."""
    store = SQLiteStore(path, margin=0)
    key, now = new_key(), time.time()
    record = new_record(owner="ann", expires_at=now + 60)
    assert store.swap(key, None, record)
    longer = successor(record, expires_at=now + 3600)
    assert store.swap(key, record, longer)
    assert _sweep_at(path, key) == now + 60
    assert [store.count(now + after) for after in (0, 120, 3601)] == [1, 1, 0]

    assert store.sweep(now + 120, limit=1) == 0
    assert _sweep_at(path, key) == now + 3600
    assert store.swap(key, longer, successor(longer, expires_at=now + 30))
    assert _sweep_at(path, key) == now + 30
    assert store.sweep(now + 60, limit=1) == 1


@pytest.mark.parametrize("owner", [None, "ann"])
def test_who_prolongs_a_session_writes_one_page(path: Path, owner: str | None) -> None:
    store = SQLiteStore(path)
    key, record = new_key(), new_record(owner=owner)
    assert store.swap(key, None, record)
    log = path.with_name(f"{path.name}-wal")
    before = log.stat().st_size
    assert store.swap(key, record, successor(record, expires_at=record.expires_at + 1))
    page_and_its_head = 4096 + 24
    assert log.stat().st_size - before == page_and_its_head


def test_a_sweep_with_a_limit_passes_over_what_was_prolonged(path: Path) -> None:
    store = SQLiteStore(path, margin=0)
    now = time.time()
    for number in range(1200):
        key, record = new_key(), new_record(expires_at=now + number / 1000)
        assert store.swap(key, None, record)
        if number < 1150:
            assert store.swap(key, record, successor(record, expires_at=now + 3600))
    removed = [store.sweep(now + 60, limit=10) for _ in range(15)]
    assert sum(removed) == 50
    assert store.count(now + 60) == 1150


def test_open_store(path: Path) -> None:
    store = open_store(
        f"sqlite:///{path}?table=mine&margin=5&busy_timeout=.5&durable=yes&max_idle=3"
    )
    assert isinstance(store, SQLiteStore)
    assert (store.path, store.table, store.margin) == (str(path), "mine", 5.0)
    assert (store.busy_timeout, store.durable) == (0.5, True)
    shutil.rmtree(path.parent)
