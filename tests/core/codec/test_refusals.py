"""What would not come back is refused, with its place and without its content."""

from __future__ import annotations

import collections
import datetime as dt
import typing as t
import zoneinfo
from pathlib import Path

import ormsgpack
import pytest
from markupsafe import Markup

from sessionkit.errors import ValueNotSupported
from tests.core.codec.support import CODEC
from tests.core.codec.support import SECRET
from tests.core.codec.support import Colour
from tests.core.codec.support import Level
from tests.core.codec.support import Point
from tests.core.codec.support import Thing
from tests.core.codec.support import refusal

#: Where the types of these tests are.
PACKAGE = __name__.rpartition(".")[0] + "."


class OwnStr(str):
    __slots__ = ()


class OwnInt(int):
    pass


class OwnZone(dt.tzinfo):
    def utcoffset(self, when: dt.datetime | None, /) -> dt.timedelta:
        return dt.timedelta(hours=1)

    def dst(self, when: dt.datetime | None, /) -> None:
        return None

    def tzname(self, when: dt.datetime | None, /) -> str:
        return SECRET


class OwnDateTime(dt.datetime):
    pass


class Pair(t.NamedTuple):
    a: t.Any
    b: t.Any


REFUSED: list[tuple[t.Any, str]] = [
    (
        collections.defaultdict(int, k=1),
        "a collections.defaultdict would come back as a plain dict",
    ),
    (collections.OrderedDict(k=1), "a collections.OrderedDict would come back as a plain dict"),
    (collections.Counter(SECRET), "a collections.Counter would come back as a plain dict"),
    (Pair(SECRET, 2), "Pair would come back as a plain tuple"),
    (OwnStr(SECRET), "OwnStr would come back as a plain str"),
    (OwnInt(7), "OwnInt would come back as a plain int"),
    (type("OwnFloat", (float,), {})(7), "OwnFloat would come back as a plain float"),
    (type("OwnBytes", (bytes,), {})(b"x"), "OwnBytes would come back as a plain bytes"),
    (type("OwnList", (list,), {})(), "OwnList would come back as a plain list"),
    (type("OwnSet", (set,), {})(), "OwnSet would come back as a plain set"),
    (Level.LOW, "the enum support.Level is not registered; pass types=[Level]"),
    (Colour.RED, "the enum support.Colour is not registered; pass types=[Colour]"),
    (Point(SECRET, 1), "objects of type support.Point cannot be stored"),
    (OwnDateTime(2024, 1, 1), "OwnDateTime cannot be stored"),
    (bytearray(b"x"), "a bytearray would come back as bytes; convert it with bytes(...)"),
    (memoryview(b"x"), "a memoryview would come back as bytes"),
    (ormsgpack.Ext(1, b"\x01"), "Ext cannot be stored"),
    (ormsgpack.Ext(32, b""), "Ext cannot be stored"),
    (f"{SECRET}\udc80", "the str holds a lone surrogate"),
    (Markup("\ud800"), "the markupsafe.Markup holds a lone surrogate"),
    (2**4096, "an int of more than 4096 bits cannot be stored"),
    (-(2**5000), "an int of more than 4096 bits cannot be stored"),
    (
        dt.datetime(2024, 1, 1, tzinfo=OwnZone()),
        "a time zone of type test_refusals.OwnZone cannot be",
    ),
    (dt.time(1, tzinfo=OwnZone()), "a time zone of type test_refusals.OwnZone cannot be stored"),
    (Thing(), "objects of type support.Thing cannot be stored"),
    (object(), "objects of type object cannot be stored"),
    (Thing, "objects of type type cannot be stored"),
    (len, "objects of type builtin_function_or_method cannot be stored"),
    (1j, "objects of type complex cannot be stored"),
    (range(3), "objects of type range cannot be stored"),
    (iter([]), "cannot be stored"),
    ({}.keys(), "cannot be stored"),
    (NotImplemented, "cannot be stored"),
]


if hasattr(ormsgpack, "Fragment"):
    REFUSED.append((ormsgpack.Fragment(b"\x01"), "Fragment cannot be stored"))


@pytest.mark.parametrize(
    ("value", "problem"),
    REFUSED,
    ids=[f"{type(value).__name__}-{n}" for n, (value, _) in enumerate(REFUSED)],
)
def test_what_would_not_come_back_is_refused_with_its_place(value: t.Any, problem: str) -> None:
    for wrap, place in (
        (value, ""),
        ([1, value], "[1]"),
        ((value,), "[0]"),
        ({"items": [{"when": value}]}, "['items'][0]['when']"),
        ({7: {"x": (value,)}}, "[<int key>]['x'][0]"),
    ):
        error = refusal(wrap)
        assert problem in error.problem.replace(PACKAGE, "")
        assert error.path == f"session['k']{place}"
        assert str(error) == f"{error.path}: {error.problem}"
        assert isinstance(error, TypeError)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({OwnStr("a"): 1}, "[<test_refusals.OwnStr key>]"),
        ({Level.LOW: 1}, "[<support.Level key>]"),
        ({"x": {(1, Thing()): 1}}, "['x'][<tuple key>][1]"),
        ({"\udc80": 1}, r"['\udc80']"),
        ({1, Thing()}, "[<set item>]"),
        ({"x" * 100: Thing()}, f"['{'x' * 37}...']"),
    ],
)
def test_a_refused_key_or_item_is_located_without_being_shown(value: t.Any, place: str) -> None:
    assert refusal(value).path.replace(PACKAGE, "") == f"session['k']{place}"


def test_the_example_of_the_contract() -> None:
    with pytest.raises(ValueNotSupported) as caught:
        CODEC.encode([{"when": Thing()}], "session['cart']")
    assert caught.value.path == "session['cart'][0]['when']"


def test_a_zone_made_from_a_file_is_refused() -> None:
    path = next((Path(folder) / "Europe/Berlin" for folder in zoneinfo.TZPATH), None)
    if path is None or not path.exists():
        pytest.skip("no time zone files on this machine")
    for key in (None, "Europe/Berlin", SECRET):
        with path.open("rb") as file:
            zone = zoneinfo.ZoneInfo.from_file(file, key=key)
        assert "time zone" in refusal(dt.datetime(2024, 1, 1, tzinfo=zone)).problem


def test_a_value_that_contains_itself_is_refused_where_it_does() -> None:
    items: list[t.Any] = [1]
    items.append({"again": (items,)})
    error = refusal(items)
    assert error.path == "session['k'][1]['again'][0]"
    assert "contains itself" in error.problem
    data: dict[t.Any, t.Any] = {}
    data[7] = data
    assert "contains itself" in refusal(data).problem


def test_endless_nesting_is_refused_with_a_short_message() -> None:
    value: t.Any = None
    for _ in range(100_000):
        value = [value]
    assert len(str(refusal(value))) < 300
    while value is not None:
        (value,) = value
