"""A store that is used on both sides of a fork."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import traceback
import typing as t
import warnings

from sessionkit.store import Store

from ._processes import Reachable
from ._support import fields
from ._support import filled
from ._support import in_threads
from ._support import present
from ._support import skip
from .records import new_key
from .records import new_record
from .records import successor


class ForkTests(Reachable):
    """Neither side disturbs the other."""

    def test_fork(self, store: Store) -> None:
        if not hasattr(os, "fork"):
            skip("no fork")
        shared = self.opener(store) is not None
        before, record = new_key(), new_record(b"parent", owner="ann")
        assert store.swap(before, None, record)
        keys = [new_key() for _ in range(4)]

        def child(key: str) -> None:
            for _ in range(20):
                assert fields(store.get(before)) == fields(record)
                assert store.swap(key, None, record)
                assert store.swap(key, record, successor(record))
                assert store.delete(key, successor(record))
            assert store.swap(key, None, record)

        children = [_fork(functools.partial(child, key)) for key in keys]
        for _ in range(50):  # both use it at once
            assert fields(store.get(before)) == fields(record)
            key = new_key()
            assert store.swap(key, None, record)
            assert store.delete(key, record)
        for pid in children:
            _wait(pid)
        assert fields(store.get(before)) == fields(record)
        for key in keys:
            assert (store.get(key) is not None) == shared

    def test_fork_while_threads_write(self, store: Store) -> None:
        if not hasattr(os, "fork"):
            skip("no fork")
        (key,) = filled(store, 1)
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                record = present(store, key)
                store.swap(key, record, successor(record))

        def child() -> None:
            for _ in range(10):
                record, own = new_record(), new_key()
                assert store.swap(own, None, record)
                assert store.get(own) is not None
                assert store.delete(own, record)

        def fork() -> None:
            try:
                for _ in range(5):
                    _wait(_fork(child))
            finally:
                done.set()

        in_threads([fork, write, write])
        assert store.swap(new_key(), None, new_record())


def _fork(function: t.Callable[[], None]) -> int:
    with warnings.catch_warnings():  # 3.12 warns where there are threads; that is what is tested
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        function()
        status = 0
    except BaseException:  # noqa: BLE001 - told to the parent by the status
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def _wait(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    assert status == 0, "it hangs in a child" if status == signal.SIGALRM else "it fails in a child"
