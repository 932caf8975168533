"""The lock of a write: how long it is waited for, and who holds none."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores import _file_lock
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.forks import fork
from tests.forks import wait
from tests.stores.file.support import SIZES
from tests.stores.file.support import every_operation
from tests.stores.file.support import replace
from tests.stores.file.support import write


@pytest.fixture
def store(path: Path) -> FileStore:
    """One whose waits are soon over."""
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
