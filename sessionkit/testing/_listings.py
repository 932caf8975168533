"""Listing and clearing while others write."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import threading
import time

from sessionkit.store import Enumerable
from sessionkit.store import Owned
from sessionkit.store import Store

from ._owners import assert_owned
from ._processes import Reachable
from ._support import able
from ._support import filled
from ._support import in_threads
from ._support import present
from .records import new_key
from .records import new_record
from .records import successor


class ListingTests(Reachable):
    """A live session is never hidden."""

    def test_threads_list_while_others_write(self, store: Store) -> None:
        owned = able(store, Owned)
        (kept,) = filled(store, 1, owner="ann")
        done = threading.Event()

        def write() -> None:
            for _ in range(self.rounds):
                key, record = new_key(), new_record(owner="ann")
                assert store.swap(key, None, record)
                assert key in owned.owned_by("ann", time.time()), "a live session is hidden"
                assert store.delete(key, record)
            done.set()

        def refresh() -> None:
            while not done.is_set():
                record = present(store, kept)
                store.swap(kept, record, successor(record))
                assert kept in owned.owned_by("ann", time.time()), "a live session is hidden"

        in_threads([write, refresh])
        assert_owned(store, "ann", kept)

    def test_threads_clear_while_others_write(self, store: Store) -> None:
        owned, enumerable = able(store, Owned), able(store, Enumerable)
        done = threading.Event()

        def write() -> None:
            try:
                for _ in range(self.rounds):
                    key = new_key()
                    assert store.swap(key, None, new_record(owner="ann"))
                    named = owned.owned_by("ann", time.time())
                    assert key in named or store.get(key) is None, "a live session is hidden"
            finally:
                done.set()

        def clear() -> None:
            while not done.is_set():
                enumerable.clear()

        in_threads([write, clear])
