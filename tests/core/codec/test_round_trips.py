"""What is supported comes back, with its type."""

from __future__ import annotations

import datetime as dt
import decimal
import doctest
import math
import os
import subprocess
import sys
import typing as t
import uuid
import zoneinfo

import hypothesis
import pytest
from markupsafe import Markup

from sessionkit import codec as codec_module
from sessionkit import custom_types
from sessionkit.codec import IMMUTABLE
from sessionkit.codec import MAX_DEPTH
from sessionkit.codec import Codec
from tests.core.codec.support import CODEC
from tests.core.codec.support import ROOT
from tests.core.codec.support import TYPES
from tests.core.codec.support import assert_round_trip
from tests.core.codec.support import refusal
from tests.core.codec.support import values

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
IST = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")
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
        pytest.param({1, 1.5, "1", b"1", None, (1,)}, id="set-of-many-types"),
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


@hypothesis.given(values)
def test_whatever_is_supported_comes_back(value: t.Any) -> None:
    assert_round_trip(value, Codec(TYPES))


def test_a_zone_outside_the_cache_comes_back_by_its_key() -> None:
    assert_round_trip(dt.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo.no_cache("Asia/Tokyo")))


def test_the_same_object_twice_is_no_cycle() -> None:
    item = {1: 2}
    assert_round_trip([item, item, {3: item}])


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


@pytest.mark.parametrize("module", [codec_module, custom_types])
def test_the_examples_run(module: t.Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
