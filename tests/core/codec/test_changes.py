"""Whether a value is as it was: its bytes are compared, and only what has changed is made anew."""

from __future__ import annotations

import typing as t

import hypothesis
import pytest

from sessionkit.codec import Codec
from sessionkit.errors import ValueNotSupported
from tests.core.codec.support import CODEC
from tests.core.codec.support import TYPES
from tests.core.codec.support import values

_codec = Codec(TYPES)


@hypothesis.given(value=values)
def test_what_is_as_it_was_keeps_its_bytes(value: t.Any) -> None:
    before = _codec.encode(value, "session", "key")
    assert _codec.encode(_codec.decode(before), "session", "key", before) == before


@hypothesis.given(value=values, other=values)
def test_what_has_changed_has_the_bytes_of_what_it_is(value: t.Any, other: t.Any) -> None:
    before = _codec.encode(other, "session", "key")
    assert _codec.encode(value, "session", "key", before) == _codec.encode(value, "session", "key")


@pytest.mark.parametrize("size", [253, 254, 255, 256, 257, 70_000])
def test_at_any_length(size: int) -> None:
    text = "x" * (size - 2)
    before = CODEC.encode([text], "session", "key")
    assert CODEC.encode([text], "session", "key", before) is before
    assert CODEC.encode([f"{text}x"], "session", "key", before) != before


def test_what_cannot_be_kept_is_refused_when_it_was_put_in_later() -> None:
    value: dict[str, t.Any] = {"blob": b"a"}
    before = CODEC.encode(value, "session", "key")
    value["blob"] = bytearray(b"b")

    with pytest.raises(ValueNotSupported, match="blob"):
        CODEC.encode(value, "session", "key", before)


def test_the_same_bytes_in_a_bytearray_are_no_change() -> None:
    value: dict[str, t.Any] = {"blob": b"a"}
    before = CODEC.encode(value, "session", "key")
    value["blob"] = bytearray(b"a")
    assert CODEC.encode(value, "session", "key", before) is before
