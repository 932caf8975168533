"""Readers and writers of the same files: threads, processes, forks, and those that hang or die."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import resource
import signal
import threading
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores import _file_lock
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from sessionkit.testing._support import in_threads
from tests.stores.files import every_operation
from tests.stores.files import file_of
from tests.stores.files import fork
from tests.stores.files import replace
from tests.stores.files import wait
from tests.stores.files import write

#: In one slot of the smallest file, and in larger ones.
SIZES = (0, 10, 1900, 2100, 40_000, 600_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def store(path: Path) -> FileStore:
    return FileStore(path, busy_timeout=0.2)


def descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


class Holder:
    """A process that holds the lock of a key's folder."""

    def __init__(self, store: FileStore, key: str, then: t.Callable[[], object]) -> None:
        ready, self._ready = os.pipe()
        self.pid = fork(functools.partial(self._hold, store, key, then))
        os.read(ready, 1)
        os.close(ready)
        os.close(self._ready)

    def _hold(self, store: FileStore, key: str, then: t.Callable[[], object]) -> None:
        with store._shard(key):
            then()
            os.write(self._ready, b"!")
            time.sleep(60)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _fork_unannounced(function: t.Callable[[], object]) -> int:
    """Fork as uWSGI does, so that Python's own functions are not called."""
    held = set(_file_lock._held)
    _file_lock._held.clear()

    def child() -> None:
        _file_lock._held.update(held)
        _file_lock._process = -1
        function()

    pid = fork(child)
    _file_lock._held.update(held)
    return pid


class TestLock:
    def test_the_wait_is_bounded(self, store: FileStore) -> None:
        key = write(store)
        record = store.get(key)
        assert record is not None
        holder = Holder(store, key, lambda: None)
        os.kill(holder.pid, signal.SIGSTOP)
        started = time.monotonic()
        operations: list[t.Callable[[], object]] = [
            lambda: store.swap(key, record, successor(record)),
            lambda: store.delete(key, record),
            lambda: store.swap(key[:32] + new_key()[:32], None, new_record(owner="ann")),
        ]
        for operation in operations:
            with pytest.raises(StoreUnavailable, match=r"did not let us in for 0\.2 s") as caught:
                operation()
            assert caught.value.unreachable is True
            assert key not in str(caught.value)
        assert 0.6 <= time.monotonic() - started < 3
        assert store.get(key) == record, "a reader does not wait for a writer"
        holder.kill()
        assert store.swap(key, record, successor(record))

    def test_a_writer_waits_for_another_one(self, path: Path) -> None:
        store = FileStore(path)
        key = write(store)
        with contextlib.ExitStack() as stack:
            stack.enter_context(store._shard(key))
            timer = threading.Timer(0.3, stack.pop_all().close)
            timer.start()
            replace(store, key)
        timer.join()

    def test_whoever_is_killed_holds_nothing(self, path: Path) -> None:
        store = FileStore(path, busy_timeout=0)
        key = write(store)
        for _ in range(20):
            Holder(store, key, lambda: None).kill()
            replace(store, key)

    @pytest.mark.parametrize("forked", [fork, _fork_unannounced])
    def test_nor_does_a_child_that_was_forked_meanwhile(
        self, path: Path, forked: t.Callable[[t.Callable[[], object]], int]
    ) -> None:
        store = FileStore(path, busy_timeout=0)
        key = other = write(store)
        while other[:2] == key[:2]:
            other = write(store)
        (written, told), (end, gate) = os.pipe(), os.pipe()

        def child() -> None:
            replace(store, other)
            os.write(told, b"!")
            os.close(gate)
            os.read(end, 1)

        holder = Holder(store, key, lambda: forked(child))
        os.read(written, 1)
        holder.kill()
        replace(store, key)
        for descriptor in (written, told, end, gate):
            os.close(descriptor)

    def test_a_fork_between_opening_and_locking(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = FileStore(path, busy_timeout=0)
        key = write(store)
        children: list[int] = []
        really_open = os.open

        def open_and_fork(path: str, flags: int, *rest: t.Any, **more: t.Any) -> int:
            descriptor = really_open(path, flags, *rest, **more)
            if not children:
                children.append(fork(lambda: time.sleep(60)))  # has it open, without knowing
            return descriptor

        monkeypatch.setattr(os, "open", open_and_fork)
        ours = FileStore(path)._shard(key)
        assert ours.__enter__() is not None
        (held,) = _file_lock._held
        os.close(held)  # as if we were killed
        _file_lock._held.clear()
        replace(store, key)
        os.kill(children[0], signal.SIGKILL)
        os.waitpid(children[0], 0)

    def test_a_child_can_write_at_once(self, store: FileStore) -> None:
        key = write(store)
        with store._shard(key):
            child = fork(functools.partial(_refused, store, key))
            wait(child)
        wait(fork(functools.partial(replace, store, key)))


def _refused(store: FileStore, key: str) -> None:
    with pytest.raises(StoreUnavailable, match="did not let us in"):
        store.swap(key, None, new_record())
    assert _file_lock._held == set()


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


def test_nothing_stays_open(store: FileStore) -> None:
    key = write(store)
    before = descriptors()
    for size in SIZES:
        replace(store, key, bytes(size))
    for operation in every_operation(store, key):
        operation()
    Path(store.path).chmod(0o777)
    for operation in every_operation(store, key):
        with pytest.raises(StoreUnavailable):
            operation()
    assert descriptors() == before
    assert _file_lock._held == set()


@pytest.fixture
def small_files() -> t.Generator[t.Callable[[int], None], None, None]:
    """A function that sets how large a file may be, as a quota or a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 40, 100, 1000, 3000, 4095])
def test_a_full_disk_leaves_what_there_was(
    store: FileStore, small_files: t.Callable[[int], None], room: int
) -> None:
    key = write(store)
    record, names = store.get(key), sorted(file_of(store, key).parent.iterdir())
    assert record is not None
    small_files(room)
    for size in (2500, 10_000) if room > 2048 else (100, 10_000):
        for change in (
            functools.partial(store.swap, key, record, successor(record, bytes(size))),
            functools.partial(store.swap, key[:2] + new_key()[2:], None, new_record(bytes(size))),
        ):
            with pytest.raises(StoreUnavailable, match="File too large") as caught:
                change()
            assert caught.value.unreachable is False
            assert store.get(key) == record
    small_files(resource.RLIM_INFINITY)
    assert sorted(file_of(store, key).parent.iterdir()) == names
    assert store.count(0.0) == 1
    replace(store, key)


def plant_a_folder(store: FileStore, key: str) -> None:
    file_of(store, key).unlink()
    file_of(store, key).mkdir()


def remove_the_file_and_open_the_index(store: FileStore, key: str) -> None:
    file_of(store, key).unlink()
    Path(store.path, "owners").chmod(0o777)


@pytest.mark.parametrize("damage", [plant_a_folder, remove_the_file_and_open_the_index])
def test_no_error_names_a_key(store: FileStore, damage: t.Callable[[FileStore, str], None]) -> None:
    key = write(store)
    damage(store, key)
    with pytest.raises(StoreUnavailable, match=f"^{store.path}") as caught:
        store.swap(key, None, new_record(owner="ann"))
    error: BaseException | None = caught.value
    while error is not None:
        assert key not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


class TestDurability:
    @pytest.fixture
    def flushed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What is flushed to the disk."""
        names: list[str] = []

        def spy(flush: t.Callable[[int], None], descriptor: int) -> None:
            names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
            flush(descriptor)

        monkeypatch.setattr(os, "fsync", functools.partial(spy, os.fsync))
        monkeypatch.setattr(os, "fdatasync", functools.partial(spy, os.fdatasync))
        return names

    def test_everything_is_flushed_before_it_is_acknowledged(
        self, path: Path, flushed: list[str]
    ) -> None:
        store = FileStore(path, durable=True)
        key = write(store)
        assert flushed == [
            path.parent.name,
            path.name,
            path.name,
            "owners",
            flushed[4],
            key,
            key[:2],
        ]
        flushed.clear()
        record = replace(store, key)
        assert flushed == [key]
        flushed.clear()
        record = replace(store, key, bytes(5000))
        assert flushed == ["new", key[:2]]
        flushed.clear()
        store.delete(key, record)
        assert flushed == [key[:2]]

    def test_otherwise_only_what_would_be_lost_as_a_whole(
        self, path: Path, flushed: list[str]
    ) -> None:
        store = FileStore(path)
        key = write(store)
        record = replace(store, key)
        assert flushed == []
        store.delete(key, replace(store, key, bytes(5000)))
        assert flushed == ["new"]
        assert record.version > 0
