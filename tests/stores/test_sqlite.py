from __future__ import annotations

import contextlib
import functools
import gc
import os
import shutil
import sqlite3
import stat
import sys
import threading
import time
import traceback
import typing as t
import weakref
from pathlib import Path

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores import open_store
from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import StoreConformance
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from sessionkit.testing._support import in_threads


class TestSQLiteStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Sweepable, Enumerable, Closeable})

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return SQLiteStore(tmp_path / "sessions.sqlite3")

    def opener(self, store: Store) -> t.Callable[[], Store]:
        assert isinstance(store, SQLiteStore)
        return functools.partial(SQLiteStore, store.path)

    def neighbour(self, store: Store) -> Store:
        assert isinstance(store, SQLiteStore)
        return SQLiteStore(store.path, table="others")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.sqlite3"


def fork(function: t.Callable[[], object]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        function()
        status = 0
    except BaseException:  # noqa: BLE001 - told by the status
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def wait(pid: int) -> None:
    assert os.waitpid(pid, 0)[1] == 0


def write(store: SQLiteStore) -> str:
    key = new_key()
    assert store.swap(key, None, new_record(owner="ann"))
    assert store.get(key) is not None
    return key


def write_after(gate: int, path: Path) -> None:
    os.read(gate, 1)
    write(SQLiteStore(path))


def assert_works(store: SQLiteStore, *lost: str) -> None:
    for key in lost:
        assert store.get(key) is None
    write(store)
    for key in lost:
        assert store.swap(key, new_record(), new_record()) is False
    assert set(store.owned_by("ann", time.time())) == set(store.keys())


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


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def truncate_all(path: Path) -> None:
    for file in path.parent.iterdir():
        os.truncate(file, 0)


def replace_by_another(path: Path) -> None:
    other = path.parent.parent / "other.db"
    store = SQLiteStore(other)
    write(store)
    store.close()
    other.replace(path)


def replace_by_one_without_our_table(path: Path) -> None:
    other = path.parent.parent / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE something (x)")
    connection.close()
    other.replace(path)


def drop_the_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE sessionkit_sessions")
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        remove,
        remove_all,
        truncate,
        truncate_all,
        replace_by_another,
        replace_by_one_without_our_table,
        drop_the_table,
    ],
)
class TestTheFileIsTakenAway:
    """Everybody is anonymous then, and nobody gets an error."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        folder = tmp_path / "folder"
        folder.mkdir()
        return folder / "sessions.sqlite3"

    def test_while_a_store_has_it_open(self, path: Path, damage: t.Callable[[Path], None]) -> None:
        store = SQLiteStore(path)
        for _ in range(3):
            keys = [write(store) for _ in range(50)]
            damage(path)
            assert_works(store, *keys)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 or "replace" in damage.__name__
        _assert_sound(path)

    def test_while_several_stores_have_it_open(
        self, path: Path, damage: t.Callable[[Path], None]
    ) -> None:
        first, second, third = (SQLiteStore(path) for _ in range(3))
        keys = [write(store) for store in (first, second, third) for _ in range(50)]
        damage(path)
        assert_works(second, *keys)
        new = write(second)
        assert first.get(new) is not None
        first.close()  # nor may the older files' end hurt the new one
        assert_works(third, *keys)
        third.close()
        second.close()
        assert second.get(new) is not None
        _assert_sound(path)

    def test_while_other_processes_write(
        self, path: Path, damage: t.Callable[[Path], None]
    ) -> None:
        if damage is truncate_all:
            pytest.skip("nothing helps who has a memory-mapped file truncated while reading it")
        store = SQLiteStore(path)
        keys = [write(store) for _ in range(50)]

        # What is done in two steps, or to what a writer is writing at that moment, may leave a
        # damaged file. It says so, and is mended by removing it.
        clean = damage not in (truncate, remove_all)

        def keep_writing() -> None:
            give_up = time.monotonic() + 0.4
            while time.monotonic() < give_up:
                with contextlib.suppress(StoreUnavailable):  # in the very moment
                    store.swap(new_key(), None, new_record(bytes(3000), owner="ann"))
            try:
                key = write(store)
                assert key in store.owned_by("ann", time.time())
                assert not any(store.get(key) for key in keys)
            except StoreUnavailable as error:
                if clean or "is damaged" not in str(error):
                    raise

        children = [fork(keep_writing) for _ in range(3)]
        time.sleep(0.1)
        damage(path)
        for child in children:
            wait(child)
        if not clean:
            remove_all(path)
        assert_works(store, *keys)
        _assert_sound(path)

    def test_during_a_move(self, path: Path, damage: t.Callable[[Path], None]) -> None:
        store = SQLiteStore(path)
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        damage(path)
        assert store.move(key, record, successor(record), new_key(), new_record()) is False
        assert_works(store, key)


def _assert_sound(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


class TestTrouble:
    def test_a_file_that_is_no_database(self, path: Path) -> None:
        path.write_bytes(b"what is this? " * 1000)
        store = SQLiteStore(path)
        with pytest.raises(StoreUnavailable, match=r"damaged.*remove it") as caught:
            store.get(new_key())
        assert caught.value.unreachable is False
        assert isinstance(caught.value.__cause__, sqlite3.Error)
        path.unlink()
        assert_works(store)

    def test_a_file_that_is_damaged_while_it_is_used(self, path: Path) -> None:
        store = SQLiteStore(path)
        key = write(store)
        store.close()
        with path.open("r+b") as file:
            file.seek(100)
            file.write(os.urandom(path.stat().st_size - 100))
        for operation in (
            lambda: store.get(key),
            lambda: store.swap(new_key(), None, new_record()),
            lambda: store.sweep(time.time()),
        ):
            with pytest.raises(StoreUnavailable) as caught:
                operation()
            assert key not in str(caught.value)
        path.unlink()
        assert_works(store, key)

    def test_no_folder(self, path: Path) -> None:
        store = SQLiteStore(path.parent / "missing" / "sessions.db")
        with pytest.raises(StoreUnavailable, match=r"cannot make .*No such file") as caught:
            store.get(new_key())
        assert caught.value.unreachable is True
        (path.parent / "missing").mkdir()
        assert_works(store)

    def test_a_folder_in_place_of_the_file(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(StoreUnavailable, match="cannot open"):
            SQLiteStore(path).get(new_key())

    def test_another_table_of_that_name(self, path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE sessionkit_sessions (x, expires_at, owner)")
        connection.close()
        with pytest.raises(StoreUnavailable, match="no such column"):
            SQLiteStore(path).get(new_key())

    def test_what_somebody_else_put_there_is_no_session(self, path: Path) -> None:
        store = SQLiteStore(path)
        key = write(store)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE sessionkit_sessions SET payload = 'text'")
        assert store.get(key) is None
        with connection:
            connection.execute("UPDATE sessionkit_sessions SET payload = x'00', version = 'x'")
        connection.close()
        assert store.get(key) is None
        assert store.swap(key, None, new_record()) is False

    def test_the_wait_for_another_writer_is_bounded(self, path: Path) -> None:
        store = SQLiteStore(path, busy_timeout=0.2)
        key = write(store)
        record = store.get(key)
        assert record is not None
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        operations: list[t.Callable[[], object]] = [
            lambda: store.swap(key, record, successor(record)),
            lambda: store.delete(key, record),
            lambda: store.move(key, record, successor(record), new_key(), new_record()),
        ]
        for operation in operations:
            with pytest.raises(StoreUnavailable, match=r"did not let us in for 0\.2 s") as caught:
                operation()
            assert caught.value.unreachable is True
        assert 0.6 <= time.monotonic() - started < 2
        assert store.get(key) == record, "a reader does not wait for a writer"
        other.execute("COMMIT")
        other.close()
        assert store.swap(key, record, successor(record))

    def test_a_writer_waits_for_another_one(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.3, other.execute, ("COMMIT",))
        timer.start()
        write(store)
        timer.join()
        other.close()

    def test_a_full_disk(self, path: Path) -> None:
        store = SQLiteStore(path)
        key = write(store)
        connection = store._database._connections.idle()
        assert connection is not None
        connection.handle.execute("PRAGMA max_page_count = 8")
        store._database._connections.give(connection)
        with pytest.raises(StoreUnavailable, match="full") as caught:
            store.swap(new_key(), None, new_record(bytes(2**20)))
        assert caught.value.unreachable is False
        assert store.get(key) is not None

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
    def test_a_folder_that_is_read_only(self, path: Path) -> None:
        path.parent.chmod(0o500)
        try:
            with pytest.raises(StoreUnavailable, match=r"cannot make .*denied"):
                SQLiteStore(path).get(new_key())
        finally:
            path.parent.chmod(0o700)


class TestConnections:
    def test_idle_ones_are_bounded(self, path: Path) -> None:
        store = SQLiteStore(path, max_idle=2)
        write(store)
        barrier = threading.Barrier(6)

        def hold(handle: sqlite3.Connection) -> None:
            barrier.wait()

        threads = [threading.Thread(target=store._database.run, args=(hold,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store._database._connections._idle) == 2

    def test_one_that_raised_is_not_used_again(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)

        def interrupted(handle: sqlite3.Connection) -> None:
            handle.execute("BEGIN IMMEDIATE")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store._database.run(interrupted)
        assert len(store._database._connections._idle) == 0
        write(SQLiteStore(path, busy_timeout=0))

    def test_a_store_that_is_forgotten_closes_its_own(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)
        gone = weakref.ref(store)
        del store
        gc.collect()
        assert gone() is None
        assert [file.name for file in path.parent.iterdir()] == [path.name]

    def test_a_child_inherits_none(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)

        def look() -> None:
            connections = store._database._connections
            assert len(connections._idle) == 0
            assert connections._open == set()

        wait(fork(look))
        write(store)

    def test_a_fork_waits_for_a_write(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)
        writing = threading.Event()

        def slow(handle: sqlite3.Connection) -> None:
            handle.execute("BEGIN IMMEDIATE")
            writing.set()
            time.sleep(0.2)
            handle.execute("COMMIT")

        thread = threading.Thread(target=store._database.run, args=(slow,))
        thread.start()
        writing.wait()
        child = fork(lambda: write(store))  # SQLite would think that we are still writing
        thread.join()
        wait(child)

    @pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
    def test_durability(self, path: Path, durable: bool, level: int) -> None:
        store = SQLiteStore(path, durable=durable)
        write(store)
        pragma = functools.partial(
            store._database.run, lambda handle, name: handle.execute(f"PRAGMA {name}").fetchone()
        )
        assert pragma("synchronous") == (level,)
        assert pragma("journal_mode") == ("wal",)


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
    for sql in (store._sql.owned, store._sql.sweep, store._sql.get, store._sql.page):
        plan = store._database.run(
            lambda handle, sql: handle.execute(
                f"EXPLAIN QUERY PLAN {sql}", ("x", 1)[: sql.count("?")]
            ).fetchall(),
            sql,
        )
        assert all("SCAN" not in row[3] for row in plan), plan


def test_open_store(path: Path) -> None:
    store = open_store(
        f"sqlite:///{path}?table=mine&margin=5&busy_timeout=.5&durable=yes&max_idle=3"
    )
    assert isinstance(store, SQLiteStore)
    assert (store.path, store.table, store.margin) == (str(path), "mine", 5.0)
    assert (store.busy_timeout, store.durable) == (0.5, True)
    shutil.rmtree(path.parent)


def test_a_store_that_is_forgotten_closes_its_connections(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "sessions.sqlite3")
    assert store.get("0" * 64) is None
    before = len([*Path("/proc/self/fd").iterdir()])
    del store
    gc.collect()
    assert len([*Path("/proc/self/fd").iterdir()]) < before
