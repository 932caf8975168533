"""The codec: what goes in comes out with its type, or is refused with its place."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import doctest
import enum
import math
import os
import subprocess
import sys
import typing as t
import uuid
import zoneinfo
from pathlib import Path

import hypothesis
import ormsgpack
import pytest
from hypothesis import strategies as st
from markupsafe import Markup

from sessionkit import codec as codec_module
from sessionkit import custom_types
from sessionkit.codec import IMMUTABLE
from sessionkit.codec import MAX_DEPTH
from sessionkit.codec import Codec
from sessionkit.codec import CustomType
from sessionkit.errors import ConfigurationError
from sessionkit.errors import DecodeError
from sessionkit.errors import SessionError
from sessionkit.errors import ValueNotSupported

ROOT = Path(__file__).resolve().parents[2]
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
IST = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")
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


def make_enum(name: str, **members: int) -> t.Any:
    return enum.EnumMeta.__call__(enum.Enum, name, members)


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


def framed(packed: bytes) -> bytes:
    if len(packed) < 255:
        return bytes([len(packed)]) + packed
    return b"\xff" + len(packed).to_bytes(8, "big") + packed


SINGLES = [
    None,
    True,
    False,
    0,
    -1,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64,
    -(2**63),
    -(2**63) - 1,
    2**4096 - 1,
    -(2**4096) + 1,
    0.0,
    -0.0,
    1.5,
    math.inf,
    -math.inf,
    math.nan,
    5e-324,
    "",
    "text",
    "ünïcödé \U0001f600 \x00",
    "x" * 254,
    "x" * 70_000,
    b"",
    b"\x00\xff",
    b"\xc7\x00 \xc7\x00\x20",
    dt.datetime(1, 1, 1),
    dt.datetime(2024, 2, 29, 1, 2, 3, 4),
    dt.datetime(2024, 10, 27, 2, 30, fold=1),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone.utc),
    dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN),
    dt.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
    dt.datetime(2024, 2, 29, tzinfo=IST),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(0), "GMT")),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(hours=1), "")),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(hours=1), "a|b c")),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone(-dt.timedelta(seconds=61, microseconds=7))),
    dt.datetime.max.replace(tzinfo=dt.timezone.max),
    dt.date(1, 1, 1),
    dt.date.max,
    dt.time(1, 2, 3, 4),
    dt.time(1, 2, fold=1),
    dt.time(1, 2, tzinfo=BERLIN),
    dt.time(1, 2, tzinfo=IST),
    dt.time(1, 2, tzinfo=dt.timezone.utc),
    dt.timedelta.min,
    dt.timedelta.max,
    dt.timedelta(microseconds=-1),
    decimal.Decimal("19.90"),
    decimal.Decimal("-0E-10"),
    decimal.Decimal("1E+999999"),
    decimal.Decimal("NaN123"),
    decimal.Decimal("-Infinity"),
    uuid.UUID(int=1),
    Markup("<b>"),
    Markup(""),
]


@pytest.mark.parametrize(
    "value", SINGLES, ids=lambda value: f"{type(value).__name__}-{value!r:.20}"
)
def test_a_single_value_comes_back_alone_nested_and_as_a_key(value: t.Any) -> None:
    assert_round_trip(value)
    assert_round_trip([value, (value,), {"k": value}])
    assert_round_trip({value: value})
    assert_round_trip({value})
    assert_round_trip(frozenset([value, (value,)]))


def test_a_signalling_nan_comes_back() -> None:
    assert_round_trip([decimal.Decimal("sNaN12"), decimal.Decimal("-sNaN")])


def test_utc_comes_back_as_the_very_object() -> None:
    when = CODEC.decode(CODEC.encode(dt.datetime.now(dt.timezone.utc), "k"))
    assert when.tzinfo is dt.timezone.utc


@pytest.mark.parametrize(
    "value",
    [
        [],
        (),
        {},
        set(),
        frozenset(),
        [[], ((),), {}],
        {1: "int", "1": "str", 2.5: "float", None: 0, (1, 2): [], b"1": 1, False: 2},
        {True: 1, 0: 2},
        {1.0: 1},
        {frozenset({1, (2, "x")}): {uuid.UUID(int=7): {dt.date(2024, 1, 1): {"deep": {3: 4}}}}},
        {"z": 1, "a": 2, "m": 3},
        {9: 1, "a": 2, 3: 3},
        {"set": {frozenset({frozenset(), frozenset({1})}), (1, (2, ()))}},
        {1, 1.5, "1", b"1", None, (1,)},
        [2**70, -(2**70), {2**70: 2**70}],
        ["x"] * 70_000,
        {str(n): {"n": n} for n in range(3000)},
        {n: (n,) for n in range(300)},
    ],
    ids=lambda value: f"{type(value).__name__}-{value!r:.30}",
)
def test_a_container_comes_back(value: t.Any) -> None:
    assert_round_trip(value)


def test_containers_may_be_a_hundred_levels_deep() -> None:
    wraps: list[t.Callable[[t.Any], t.Any]] = [
        lambda v: [v],
        lambda v: (v,),
        lambda v: {"k": v},
        lambda v: {1: v},
    ]
    for wrap in wraps:
        value: t.Any = None
        for _ in range(MAX_DEPTH):
            value = wrap(value)
        assert_round_trip(value)
        assert "nested deeper than 100 levels" in refusal(wrap(value)).problem


def test_nested_frozensets_take_no_exponential_time() -> None:
    value: frozenset[t.Any] = frozenset()
    for _ in range(MAX_DEPTH - 1):
        value = frozenset({value})
    assert_round_trip(value)


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


@hypothesis.given(values)
def test_whatever_is_supported_comes_back(value: t.Any) -> None:
    assert_round_trip(value, Codec(TYPES))


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
    functional = pytest.importorskip("django.utils.functional")
    safestring = pytest.importorskip("django.utils.safestring")
    lazy_str = functional.lazy(lambda: "hello", str)
    lazy_safe = functional.lazy(lambda: safestring.mark_safe("hello"), str)
    data = CODEC.encode({"t": lazy_str(), "u": [lazy_safe()]}, "k")
    assert exact(CODEC.decode(data)) == exact({"t": "hello", "u": ["hello"]})


def test_djangos_lazy_numbers_and_objects_are_refused() -> None:
    functional = pytest.importorskip("django.utils.functional")
    assert "cannot be stored" in refusal(functional.lazy(lambda: 7, int)()).problem
    assert "cannot be stored" in refusal(functional.SimpleLazyObject(lambda: SECRET)).problem


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


class Thing:
    def __repr__(self) -> str:
        return SECRET


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
    (Level.LOW, "the enum test_codec.Level is not registered; pass types=[Level]"),
    (Colour.RED, "the enum test_codec.Colour is not registered; pass types=[Colour]"),
    (Point(SECRET, 1), "objects of type test_codec.Point cannot be stored"),
    (OwnDateTime(2024, 1, 1), "OwnDateTime cannot be stored"),
    (bytearray(b"x"), "a bytearray would come back as bytes; convert it with bytes(...)"),
    (memoryview(b"x"), "a memoryview would come back as bytes"),
    (ormsgpack.Ext(1, b"\x01"), "Ext cannot be stored"),
    (ormsgpack.Ext(32, b""), "Ext cannot be stored"),
    (f"{SECRET}\udc80", "the str holds a lone surrogate"),
    (Markup("\ud800"), "the markupsafe.Markup holds a lone surrogate"),
    (2**4096, "an int of more than 4096 bits cannot be stored"),
    (-(2**5000), "an int of more than 4096 bits cannot be stored"),
    (dt.datetime(2024, 1, 1, tzinfo=OwnZone()), "a time zone of type test_codec.OwnZone cannot be"),
    (dt.time(1, tzinfo=OwnZone()), "a time zone of type test_codec.OwnZone cannot be stored"),
    (Thing(), "objects of type test_codec.Thing cannot be stored"),
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
        assert problem in error.problem.replace(f"{__name__}.", "test_codec.")
        assert error.path == f"session['k']{place}"
        assert str(error) == f"{error.path}: {error.problem}"
        assert isinstance(error, TypeError)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({OwnStr("a"): 1}, "[<{module}.OwnStr key>]"),
        ({Level.LOW: 1}, "[<{module}.Level key>]"),
        ({"x": {(1, Thing()): 1}}, "['x'][<tuple key>][1]"),
        ({"\udc80": 1}, r"['\udc80']"),
        ({1, Thing()}, "[<set item>]"),
        ({"x" * 100: Thing()}, f"['{'x' * 37}...']"),
    ],
)
def test_a_refused_key_or_item_is_located_without_being_shown(value: t.Any, place: str) -> None:
    assert refusal(value).path == f"session['k']{place}".replace("{module}", __name__)


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


def test_a_zone_outside_the_cache_comes_back_by_its_key() -> None:
    assert_round_trip(dt.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo.no_cache("Asia/Tokyo")))


def test_a_value_that_contains_itself_is_refused_where_it_does() -> None:
    items: list[t.Any] = [1]
    items.append({"again": (items,)})
    error = refusal(items)
    assert error.path == "session['k'][1]['again'][0]"
    assert "contains itself" in error.problem
    data: dict[t.Any, t.Any] = {}
    data[7] = data
    assert "contains itself" in refusal(data).problem


def test_the_same_object_twice_is_no_cycle() -> None:
    item = {1: 2}
    assert_round_trip([item, item, {3: item}])


def test_endless_nesting_is_refused_with_a_short_message() -> None:
    value: t.Any = None
    for _ in range(100_000):
        value = [value]
    assert len(str(refusal(value))) < 300
    while value is not None:
        (value,) = value


def test_registered_enums_come_back_by_name() -> None:
    codec = Codec([Colour, Level, Rights])
    both = Rights.READ | Rights.WRITE
    value = [Colour.RED, Level.LOW, {Colour.BLUE: Level.LOW, Level.LOW: {Colour.CRIMSON}}, both]
    decoded = codec.decode(codec.encode(value, "k"))
    assert decoded == value
    assert decoded[0] is Colour.RED
    assert type(decoded[1]) is Level
    assert b"RED" in codec.encode(Colour.CRIMSON, "k")


def test_a_registered_type_may_hold_anything_and_itself() -> None:
    codec = Codec(TYPES)
    chain: t.Any = None
    for _ in range(MAX_DEPTH // 2):
        chain = Node({"next": chain})
    for value in (
        Point(1, 2),
        [Point([{1: Point(Colour.RED, None)}], dt.date(2024, 1, 1))],
        {Point(1, 2): Node(Point((), frozenset()))},
        chain,
    ):
        assert_round_trip(value, codec)
    assert "nested deeper" in refusal([[[chain]]], codec).problem


def test_a_registered_type_is_looked_into() -> None:
    codec = Codec(TYPES)
    for hidden in (bytearray(b"x"), ormsgpack.Ext(1, b""), [memoryview(b"x")]):
        assert refusal([Point(1, hidden)], codec).path.startswith("session['k'][0]['y']")
    assert refusal([Point(1, Thing())], codec).path == "session['k'][0]['y']"


def test_a_subclass_of_a_registered_type_is_not_registered() -> None:
    class Child(Point):
        pass

    assert "Child cannot be stored" in refusal(Child(1, 2), Codec(TYPES)).problem


def test_a_type_that_dumps_itself_is_refused() -> None:
    codec = Codec([CustomType(Thing, "thing", lambda thing: thing, lambda data: data)])
    assert "contains itself" in refusal(Thing(), codec).problem
    codec = Codec([CustomType(Thing, "thing", lambda _: Thing(), lambda data: data)])
    assert "nested deeper" in refusal(Thing(), codec).problem


def test_a_dump_that_fails_is_named() -> None:
    def dump(_: object) -> object:
        raise KeyError(SECRET)

    error = refusal([Thing()], Codec([CustomType(Thing, "thing", dump, lambda data: data)]))
    assert error.path == "session['k'][0]"
    assert error.problem.endswith("Thing raised KeyError")
    assert isinstance(error.__cause__, KeyError)


def test_a_load_that_fails_and_a_type_no_longer_registered_are_damage() -> None:
    data = Codec([Colour]).encode({"c": Colour.RED}, "k")
    with pytest.raises(DecodeError, match="not registered"):
        CODEC.decode(data)
    smaller = make_enum("Colour", GREEN=3)
    with pytest.raises(DecodeError, match="Colour raised KeyError"):
        Codec([smaller]).decode(data)


def test_a_custom_name_stays_when_a_class_is_renamed() -> None:
    old = CustomType(Colour, "shade", lambda c: c.name, lambda name: Colour[name])
    data = Codec([old]).encode(Colour.BLUE, "k")
    shade = make_enum("Shade", BLUE=9)
    new = CustomType(shade, "shade", lambda c: c.name, lambda name: shade[name])
    assert Codec([new]).decode(data) is shade["BLUE"]


def nothing(value: t.Any) -> t.Any:
    return value


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ([Colour, Colour], "registered twice"),
        ([Colour, CustomType(Colour, "c", nothing, nothing)], "registered twice"),
        ([POINT, CustomType(Thing, "point", nothing, nothing)], "two types are registered as"),
        ([Colour, make_enum("Colour", A=1)], "two types are registered as 'Colour'"),
        ([Point], "takes enum classes and CustomType objects, not .*Point"),
        ([Colour.RED], "takes enum classes and CustomType objects, not a .*Colour"),
        (["Colour"], "not a str"),
        ([None], "not a NoneType"),
        ([CustomType(t.cast("type", "Point"), "p", nothing, nothing)], "must be a class"),
        ([CustomType(t.cast("type", list[int]), "p", nothing, nothing)], "must be a class"),
        ([CustomType(Point, "", nothing, nothing)], "needs a name"),
        ([CustomType(Point, "\udc80", nothing, nothing)], "needs a name"),
        ([CustomType(Point, t.cast("str", 7), nothing, nothing)], "needs a name"),
        ([CustomType(Point, "p", t.cast("t.Any", None), nothing)], "must be callable"),
        ([CustomType(dict, "d", nothing, nothing)], "dict cannot be registered"),
        ([CustomType(dt.date, "d", nothing, nothing)], "date cannot be registered"),
        ([CustomType(bytearray, "b", nothing, nothing)], "bytearray cannot be registered"),
    ],
)
def test_a_wrong_registration_is_a_configuration_error(types: t.Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Codec(types)


def test_what_is_immutable_is_decoded_as_exactly_that() -> None:
    assert {type(value) for value in SINGLES} == IMMUTABLE
    assert not IMMUTABLE & {tuple, frozenset, list, dict, set}


DETERMINISM = """
import uuid, datetime, decimal, sys
from sessionkit.codec import Codec
words = {f"word-{n}" for n in range(50)}
value = [
    words, frozenset(words), {(word, 1) for word in words}, {frozenset({w, 1}) for w in words},
    {1, "1", None, b"1", 2.5, uuid.UUID(int=3), datetime.date(2024, 1, 1), decimal.Decimal("1.1")},
    {frozenset({"a", "b"}): {"c", "d"}},
]
print(Codec().encode(value, "k").hex())
"""


def test_the_bytes_are_the_same_under_every_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", DETERMINISM],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "77")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("value", [None, 7, "x", "x" * 300, [1, (2, 3)], {1: 2}, {"a": {"b"}}])
def test_cut_and_extended_bytes_are_damage(value: t.Any) -> None:
    data = CODEC.encode(value, "k")
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            CODEC.decode(data[:length])
    for more in (b"\x00", b"\xc0", data, b"\xff" * 8, data[1:]):
        with pytest.raises(DecodeError):
            CODEC.decode(data + more)


@hypothesis.given(values, st.binary(min_size=1))
def test_trailing_bytes_are_damage(value: t.Any, more: bytes) -> None:
    codec = Codec(TYPES)
    with pytest.raises(DecodeError):
        codec.decode(codec.encode(value, "k") + more)


def decoded_or_damage(data: bytes) -> None:
    codec = Codec(TYPES)
    try:
        value = codec.decode(data)
    except DecodeError:
        return
    assert_round_trip(value, codec)


@hypothesis.given(st.binary())
def test_any_bytes_decode_or_are_damage(data: bytes) -> None:
    decoded_or_damage(data)
    decoded_or_damage(framed(data))
    for code in (*range(12), *range(30, 40)):
        decoded_or_damage(framed(ormsgpack.packb(ormsgpack.Ext(code, data))))
    for code in range(30, 40):
        decoded_or_damage(framed(b"\x93\xc7\x00" + bytes([code]) + data))


@hypothesis.given(values, st.data())
def test_changed_bytes_decode_or_are_damage(value: t.Any, data: st.DataObject) -> None:
    packed = bytearray(Codec(TYPES).encode(value, "k"))
    prefix = 1 if packed[0] < 255 else 9
    del packed[:prefix]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(packed)))
        stop = start + data.draw(st.integers(0, 3))
        packed[start:stop] = data.draw(st.binary(max_size=3))
    decoded_or_damage(framed(bytes(packed)))


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x91" * 5000,
        b"\x81\xa1a" * 5000,
        b"\x81\x01\x02",
        b"\xc7\x00\x20",
        b"\x92\x01\xc7\x00\x20",
        b"\x81\xa1k\xc7\x00\x20",
        b"\x91\xc8\x00\x00\x20",
        b"\x92\xc7\x00\x21\x90",
        b"\x92\xc7\x00\x23\x01",
        b"\x93\xc7\x00\x23\x90\x01",
        b"\x91\xc7\x00\x24",
        b"\x93\xc7\x00\x24\x90\x01",
        b"\x93\xc7\x00\x24\xa1x\x01",
        b"\x92\xc7\x00\x20" * 500 + b"\xc0",
        ormsgpack.packb(ormsgpack.Ext(1, b"\x7f" * 514)),
        ormsgpack.packb(ormsgpack.Ext(2, SECRET.encode())),
        ormsgpack.packb(ormsgpack.Ext(5, b"2024-01-01T00:00:00|0|z../../etc/passwd")),
        ormsgpack.packb(ormsgpack.Ext(5, b"2024-01-01T00:00:00|0|zNowhere/Town")),
        ormsgpack.packb(ormsgpack.Ext(5, b"2024-01-01T00:00:00|0|o99999999999999999999")),
        ormsgpack.packb(ormsgpack.Ext(5, b"2024-01-01T00:00:00|7|")),
        ormsgpack.packb(ormsgpack.Ext(7, b"999999999999 0 0")),
        ormsgpack.packb(ormsgpack.Ext(8, b"1.2.3")),
        ormsgpack.packb(ormsgpack.Ext(9, b"short")),
        ormsgpack.packb(ormsgpack.Ext(10, b"\xff")),
        ormsgpack.packb(ormsgpack.Ext(99, b"")),
    ],
    ids=lambda packed: packed[:16].hex() or "empty",
)
def test_hostile_bytes_are_damage_and_are_not_quoted(packed: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode(framed(packed))
    assert SECRET not in str(caught.value)
    assert isinstance(caught.value, SessionError)


BOMBS = r"""
import resource, threading
from sessionkit.codec import Codec
from sessionkit.errors import DecodeError

resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))

def framed(packed):
    if len(packed) < 255:
        return bytes([len(packed)]) + packed
    return b"\xff" + len(packed).to_bytes(8, "big") + packed

def nested(code, levels, depth):
    packed = b"\xc0"
    for _ in range(levels):
        packed = b"\x91" * depth + packed
        packed = b"\xc9" + len(packed).to_bytes(4, "big") + bytes([code]) + packed
    return packed

bombs = [nested(code, levels, depth)
         for code in (*range(12), *range(32, 37)) for levels in (1, 40, 500) for depth in (0, 1000)]
bombs += [head * count + b"\xc0" for count in (100, 340, 1000, 100_000)
          for head in (b"\x91", b"\x92\xc7\x00\x20", b"\x92\xc7\x00\x22", b"\x93\xc7\x00\x23\x01",
                       b"\x93\xc7\x00\x24\xa4node", b"\x81\xa1k", b"\xd4\x01")]
bombs += [b"\xdd\x7f\xff\xff\xff" * 1000, b"\x92\xc7\x00\x20\xdd\xff\xff\xff\xff" * 1000]

def run():
    codec = Codec()
    for bomb in bombs:
        for data in (bomb, framed(bomb)):
            try:
                codec.decode(data)
            except DecodeError:
                pass
    print("alive")

run()
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def test_no_bytes_end_the_process() -> None:
    run = subprocess.run(
        [sys.executable, "-c", BOMBS],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (run.returncode, run.stdout) == (0, "alive\nalive\n"), run.stderr


@pytest.mark.parametrize("module", [codec_module, custom_types])
def test_the_examples_run(module: t.Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
