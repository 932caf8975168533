"""What the tests of the codec share."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import math
import typing as t
import zoneinfo
from pathlib import Path

import pytest
from hypothesis import strategies as st
from markupsafe import Markup

from sessionkit.codec import Codec
from sessionkit.codec import CustomType
from sessionkit.errors import ValueNotSupported

ROOT = Path(__file__).resolve().parents[3]
SECRET = "do-not-show-me"
CODEC = Codec()


class Colour(enum.Enum):
    RED = 1
    BLUE = 2
    CRIMSON = RED  # an alias


class Level(enum.IntEnum):
    LOW = 1


class Rights(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


@dataclasses.dataclass(frozen=True)
class Point:
    x: t.Any
    y: t.Any


class Node(t.NamedTuple):
    child: t.Any


POINT = CustomType(Point, "point", lambda p: {"x": p.x, "y": p.y}, lambda data: Point(**data))
NODE = CustomType(Node, "node", lambda node: node.child, Node)
TYPES = (Colour, Level, Rights, POINT, NODE)


def exact(value: t.Any) -> t.Any:
    """What two values share if and only if they are the same in type, order and every detail."""
    kind = type(value)
    shown: t.Any
    if kind is dict:
        shown = [(exact(key), exact(item)) for key, item in value.items()]
    elif kind in (list, tuple, Node):
        shown = [exact(item) for item in value]
    elif kind in (set, frozenset):
        shown = sorted((exact(item) for item in value), key=repr)
    elif kind is float:
        shown = (repr(value), math.copysign(1, value))
    elif kind is decimal.Decimal:
        shown = value.as_tuple()
    elif kind in (dt.datetime, dt.time):
        shown = (value.replace(tzinfo=None).isoformat(), value.fold, zone_of(value.tzinfo))
    elif kind is Point:
        shown = (exact(value.x), exact(value.y))
    else:
        shown = value
    return kind, shown


def zone_of(zone: dt.tzinfo | None) -> t.Any:
    if zone is None or isinstance(zone, zoneinfo.ZoneInfo):
        return zone and zone.key
    return type(zone), zone.utcoffset(None), zone.tzname(None)


def assert_round_trip(value: t.Any, codec: Codec = CODEC) -> None:
    data = codec.encode(value, "session['k']")
    assert type(data) is bytes
    decoded = codec.decode(data)
    assert exact(decoded) == exact(value)
    assert codec.encode(decoded, "session['k']") == data


def refusal(value: object, codec: Codec = CODEC) -> ValueNotSupported:
    with pytest.raises(ValueNotSupported) as caught:
        codec.encode(value, "session['k']")
    assert SECRET not in str(caught.value)
    return caught.value


zones = st.one_of(
    st.none(),
    st.just(dt.timezone.utc),
    st.timezones(),
    st.builds(
        dt.timezone,
        st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)),
    ),
    st.builds(
        dt.timezone,
        st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    ),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
hashable_singles = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(),
    texts,
    st.binary(),
    st.datetimes(timezones=zones),
    st.builds(lambda when: when.replace(fold=1), st.datetimes(timezones=zones)),
    st.dates(),
    st.times(timezones=zones),
    st.timedeltas(),
    st.decimals().filter(lambda number: not number.is_snan()),
    st.uuids(),
    st.builds(Markup, texts),
    st.sampled_from([Colour.RED, Colour.BLUE, Level.LOW, Rights.READ, Rights.READ | Rights.WRITE]),
)
hashables: st.SearchStrategy[t.Any] = st.recursive(
    hashable_singles,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.frozensets(inner, max_size=4),
        st.builds(Point, inner, inner),
        st.builds(Node, inner),
    ),
    max_leaves=6,
)
values: st.SearchStrategy[t.Any] = st.recursive(
    hashables | st.decimals(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.sets(hashables, max_size=4),
        st.dictionaries(texts, inner, max_size=5),
        st.dictionaries(hashables, inner, max_size=5),
        st.builds(Point, inner, inner),
    ),
    max_leaves=20,
)


class Thing:
    def __repr__(self) -> str:
        return SECRET
