"""Types of the application, which it has registered."""

from __future__ import annotations

import datetime as dt
import enum
import typing as t

import ormsgpack
import pytest

from sessionkit.codec import MAX_DEPTH
from sessionkit.codec import Codec
from sessionkit.codec import CustomType
from sessionkit.errors import ConfigurationError
from sessionkit.errors import DecodeError
from tests.core.codec.support import CODEC
from tests.core.codec.support import POINT
from tests.core.codec.support import SECRET
from tests.core.codec.support import TYPES
from tests.core.codec.support import Colour
from tests.core.codec.support import Level
from tests.core.codec.support import Node
from tests.core.codec.support import Point
from tests.core.codec.support import Rights
from tests.core.codec.support import Thing
from tests.core.codec.support import assert_round_trip
from tests.core.codec.support import refusal


def make_enum(name: str, **members: int) -> t.Any:
    return enum.EnumMeta.__call__(enum.Enum, name, members)


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
