"""Texts that are made when they are needed are stored as text."""

from __future__ import annotations

import typing as t

import hypothesis
import pytest
from django.utils.functional import SimpleLazyObject
from django.utils.functional import lazy
from django.utils.safestring import mark_safe

from sessionkit.codec import Codec
from tests.core.codec.support import CODEC
from tests.core.codec.support import SECRET
from tests.core.codec.support import TYPES
from tests.core.codec.support import exact
from tests.core.codec.support import refusal
from tests.core.codec.support import values


class LazyString:
    """Stands for Flask-Babel's, which is known by this name."""

    __module__ = "flask_babel.speaklater"

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class OldLazyString(LazyString):
    __module__ = "speaklater"
    __qualname__ = "_LazyString"


class LazyChild(LazyString):
    __module__ = "shop"


@hypothesis.given(values)
def test_the_careful_way_makes_the_same_bytes_as_the_fast_one(value: t.Any) -> None:
    codec = Codec(TYPES)
    fast = codec.encode([value, "lazy"], "k")
    assert codec.encode([value, LazyString("lazy")], "k") == fast


@pytest.mark.parametrize("kind", [LazyString, OldLazyString, LazyChild])
def test_a_lazy_string_becomes_str_wherever_it_stands(kind: type[LazyString]) -> None:
    lazy = kind("hello")
    for value, expected in [
        (lazy, "hello"),
        ([lazy], ["hello"]),
        ((lazy,), ("hello",)),
        ({"k": {1: lazy}}, {"k": {1: "hello"}}),
        ({lazy: lazy}, {"hello": "hello"}),
        ({lazy}, {"hello"}),
    ]:
        data = CODEC.encode(value, "k")
        assert exact(CODEC.decode(data)) == exact(expected)
        assert data == CODEC.encode(expected, "k")


def test_a_lazy_string_that_fails_is_refused() -> None:
    class Failing(LazyString):
        def __str__(self) -> str:
            raise LookupError(SECRET)

    error = refusal([Failing("")])
    assert error.path == "session['k'][0]"
    assert "could not be evaluated (LookupError)" in error.problem
    assert isinstance(error.__cause__, LookupError)


def test_djangos_lazy_strings_become_str() -> None:
    lazy_str: t.Any = lazy(lambda: "hello", str)
    lazy_safe: t.Any = lazy(lambda: mark_safe("hello"), str)
    data = CODEC.encode({"t": lazy_str(), "u": [lazy_safe()]}, "k")
    assert exact(CODEC.decode(data)) == exact({"t": "hello", "u": ["hello"]})


def test_djangos_lazy_numbers_and_objects_are_refused() -> None:
    assert "cannot be stored" in refusal(lazy(lambda: 7, int)()).problem
    assert "cannot be stored" in refusal(t.cast(t.Any, SimpleLazyObject)(lambda: SECRET)).problem
