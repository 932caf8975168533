"""Moving, and the same composed of two swaps: both records change, or neither."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

from sessionkit.store import Moving
from sessionkit.store import Store

from ._owners import assert_owned
from ._support import able
from ._support import fields
from .records import new_key
from .records import new_record
from .records import successor


class MoveTests:
    """What a new id is made of."""

    def test_move(self, store: Store) -> None:
        moving = able(store, Moving)
        for before, owner in ((None, None), (None, "ann"), ("ann", "ann"), ("ann", "bob")):
            old_key, new_key_, expected = new_key(), new_key(), new_record(owner=before)
            stub, record = successor(expected, b"stub", owner=None), new_record(owner=owner)
            assert store.swap(old_key, None, expected)
            assert moving.move(old_key, expected, stub, new_key_, record) is True
            assert fields(store.get(old_key)) == fields(stub)
            assert fields(store.get(new_key_)) == fields(record)
            if owner:
                assert_owned(store, owner, new_key_)
                assert store.delete(new_key_, record)
            if before:
                assert_owned(store, before)

    def test_move_keeps_the_owner_of_a_stub_that_has_one(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, new_key_, expected = new_key(), new_key(), new_record(owner="ann")
        stub, record = successor(expected, owner="ann"), new_record(owner="bob")
        assert store.swap(old_key, None, expected)
        assert moving.move(old_key, expected, stub, new_key_, record)
        assert_owned(store, "ann", old_key)
        assert_owned(store, "bob", new_key_)

    def test_move_of_what_was_replaced(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, new_key_, stale = new_key(), new_key(), new_record(owner="ann")
        current = successor(stale)
        assert store.swap(old_key, None, stale)
        assert store.swap(old_key, stale, current)
        stub, record = successor(stale, owner=None), new_record(owner="ann")
        assert moving.move(old_key, stale, stub, new_key_, record) is False
        assert fields(store.get(old_key)) == fields(current)
        assert store.get(new_key_) is None
        assert_owned(store, "ann", old_key)

    def test_move_of_what_is_gone(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, new_key_, expected = new_key(), new_key(), new_record()
        stub, record = successor(expected), new_record(owner="ann")
        assert moving.move(old_key, expected, stub, new_key_, record) is False
        assert store.swap(old_key, None, expected)
        assert store.delete(old_key, expected)
        assert moving.move(old_key, expected, stub, new_key_, record) is False
        assert store.get(old_key) is None
        assert store.get(new_key_) is None
        assert_owned(store, "ann")

    def test_move_to_where_something_is(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, taken, expected, other = (
            new_key(),
            new_key(),
            new_record(owner="ann"),
            new_record(),
        )
        assert store.swap(old_key, None, expected)
        assert store.swap(taken, None, other)
        stub, record = successor(expected, owner=None), new_record(owner="bob")
        assert moving.move(old_key, expected, stub, taken, record) is False
        assert moving.move(old_key, expected, stub, old_key, record) is False
        assert fields(store.get(old_key)) == fields(expected)
        assert fields(store.get(taken)) == fields(other)
        assert_owned(store, "ann", old_key)
        assert_owned(store, "bob")

    def test_move_large(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, new_key_, expected = new_key(), new_key(), new_record(bytes(2**20))
        stub, record = successor(expected, b""), new_record(bytes(range(256)) * 4096)
        assert store.swap(old_key, None, expected)
        assert moving.move(old_key, expected, stub, new_key_, record)
        assert fields(store.get(old_key)) == fields(stub)
        assert fields(store.get(new_key_)) == fields(record)

    def test_move_composed_of_two_swaps(self, store: Store) -> None:
        old_key, new_key_, expected = new_key(), new_key(), new_record(owner="ann")
        stub, record = successor(expected, owner=None), new_record(owner="ann")
        assert store.swap(old_key, None, expected)
        assert store.swap(new_key_, None, record)
        assert_owned(store, "ann", old_key, new_key_)
        assert store.swap(old_key, expected, stub)
        assert fields(store.get(old_key)) == fields(stub)
        assert fields(store.get(new_key_)) == fields(record)
        assert_owned(store, "ann", new_key_)

    def test_move_composed_and_withdrawn(self, store: Store) -> None:
        old_key, new_key_, expected = new_key(), new_key(), new_record(owner="ann")
        stub, record = successor(expected, owner=None), new_record(owner="ann")
        assert store.swap(old_key, None, expected)
        assert store.swap(new_key_, None, record)
        assert store.delete(old_key, expected), "somebody logs out in between"
        assert store.swap(old_key, expected, stub) is False
        assert store.delete(new_key_, record)
        assert store.get(old_key) is None
        assert store.get(new_key_) is None
        assert_owned(store, "ann")
