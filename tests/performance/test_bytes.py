"""How much of a session is decoded and allocated: one key at a time, and nothing left behind."""

from __future__ import annotations

import collections.abc as cabc
import gc
import tracemalloc
import typing as t

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.codec import Codec
from sessionkit.cookie import Set
from sessionkit.stores.memory import MemoryStore

LARGE = [{"order": number, "text": "x" * 80} for number in range(1000)]
VALUES: dict[str, t.Any] = {"user": 4711, "cart": [1, 2, 3], "history": LARGE}

Visit = cabc.Callable[[cabc.Callable[[Session], object]], object]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is decoded from now on."""
    sizes: list[int] = []
    decode = Codec.decode

    def count(self: Codec, data: bytes) -> t.Any:
        sizes.append(len(data))
        return decode(self, data)

    monkeypatch.setattr(Codec, "decode", count)
    return sizes


@pytest.fixture
def visit() -> Visit:
    """A function that lets a view see a session of 100 KB, and commits."""
    manager = SessionManager(MemoryStore())
    first = manager.open(None)
    first.update(VALUES)
    made = manager.commit(first)
    assert isinstance(made, Set)
    cookie = manager.cookie.header(made, https=False).partition(";")[0]

    def run(view: cabc.Callable[[Session], object]) -> object:
        session = manager.open(cookie)
        result = view(session)
        manager.commit(session)
        return result

    return run


def change_cart(session: Session) -> None:
    session["cart"].append(4)


@pytest.mark.parametrize(
    ("view", "keys"),
    [
        (lambda session: None, []),
        (lambda session: "user" in session, ["user"]),
        (lambda session: session["user"], ["user"]),
        (lambda session: session.update(user=1), []),
        (lambda session: session["cart"], ["cart"]),
        (change_cart, ["cart"]),
        (lambda session: session.renew(), []),
        (lambda session: session.bind("ann"), []),
        (lambda session: session.destroy(), []),
    ],
    ids=[
        *("untouched", "in", "a number", "an assignment", "a list", "a nested change", "renew"),
        *("bind", "destroy"),
    ],
)
def test_only_what_is_read_is_decoded(
    visit: Visit,
    decoded: list[int],
    view: cabc.Callable[[Session], object],
    keys: list[str],
) -> None:
    visit(view)
    assert decoded == [len(Codec().encode(VALUES[key], key)) for key in keys]


def test_reading_one_key_does_not_copy_the_large_one_again_and_again(visit: Visit) -> None:
    peak = _peak(lambda: visit(lambda session: session["user"]))
    size = len(Codec().encode(LARGE, "LARGE"))
    assert peak < 1.2 * size  # cut out of the record, once


def test_an_untouched_session_allocates_little(visit: Visit) -> None:
    assert _peak(lambda: visit(lambda session: None)) < 2000


def test_the_codec_keeps_nothing() -> None:
    codec = Codec()

    def use() -> None:
        for number in range(200):
            codec.decode(codec.encode({"a": [number, (1, 2)], "b": {3, 4}}, "value"))

    use()
    gc.collect()
    tracemalloc.start()

    try:
        use()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        use()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 1000
    finally:
        tracemalloc.stop()


def _peak(work: cabc.Callable[[], object]) -> int:
    """Return the most bytes that are allocated at once, the second time it is done."""
    work()
    tracemalloc.start()

    try:
        work()
        gc.collect()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
