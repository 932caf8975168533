"""The types beyond MessagePack's own, each as a numbered extension.

The numbers are part of the stored format: none is ever changed or used again.
"""

from __future__ import annotations

import collections.abc as cabc
import datetime as dt
import decimal
import typing as t
import uuid
import zoneinfo

import markupsafe
import ormsgpack

from .refusal import Unstorable
from .refusal import type_name

#: Larger ones are refused: arithmetic with them has no bound that a web server could afford.
MAX_INT_BITS = 4096

BIG_INT, DATETIME, DATE, TIME, ZONED_DATETIME = 1, 2, 3, 4, 5
ZONED_TIME, TIMEDELTA, DECIMAL, UUID, MARKUP = 6, 7, 8, 9, 10

# What can hold other values is a list that begins with an empty extension. Never an extension
# with packed values inside: each such level of hostile bytes keeps a parser with up to 1022 levels
# of its own on the C stack, and sixteen of them end the process.
TAG_CODES = range(32, 37)
TUPLE, SET, FROZENSET, PAIRS, CUSTOM = (ormsgpack.Ext(code, b"") for code in TAG_CODES)

_MICROSECOND = dt.timedelta(microseconds=1)
_DateTimeOrTime = t.TypeVar("_DateTimeOrTime", dt.datetime, dt.time)


def _dump_int(value: int) -> ormsgpack.Ext:
    bits = value.bit_length()
    if bits > MAX_INT_BITS:
        raise Unstorable(f"an int of more than {MAX_INT_BITS} bits cannot be stored")
    return ormsgpack.Ext(BIG_INT, value.to_bytes(bits // 8 + 1, "big", signed=True))


def _load_int(data: bytes) -> int:
    if len(data) > MAX_INT_BITS // 8 + 1:
        raise ValueError("int too large")
    return int.from_bytes(data, "big", signed=True)


def _dump_zone(zone: dt.tzinfo | None) -> str:
    """Write a time zone: ``""``, ``z`` and a ZoneInfo key, or ``o``, microseconds and a name."""
    if zone is None:
        return ""
    if type(zone) is dt.timezone:
        offset, name = zone.utcoffset(None), zone.tzname(None)
        text = f"o{offset // _MICROSECOND}"
        return text if dt.timezone(offset).tzname(None) == name else f"{text} {name}"
    if type(zone) is zoneinfo.ZoneInfo and zone.key and _is_loadable(zone):
        return f"z{zone.key}"
    raise Unstorable(
        f"a time zone of type {type_name(type(zone))} cannot be stored; "
        "use datetime.timezone, or zoneinfo.ZoneInfo by its key"
    )


def _is_loadable(zone: zoneinfo.ZoneInfo) -> bool:
    try:
        # Only a zone made from a file refuses to be reduced: its key may be any text.
        return zoneinfo.ZoneInfo(zone.key) is zone or bool(zone.__reduce__())
    except Exception:  # noqa: BLE001 - zoneinfo raises much for such keys; it would not come back
        return False


def _load_zone(text: str) -> dt.tzinfo | None:
    if not text:
        return None
    if text[0] == "z":
        return zoneinfo.ZoneInfo(text[1:])
    if text[0] != "o":
        raise ValueError("unknown kind of time zone")
    microseconds, named, name = text[1:].partition(" ")
    offset = int(microseconds) * _MICROSECOND
    return dt.timezone(offset, name) if named else dt.timezone(offset)


def _dump_datetime(value: dt.datetime) -> ormsgpack.Ext:
    zone = value.tzinfo
    if (zone is None or zone is dt.timezone.utc) and not value.fold:
        return ormsgpack.Ext(DATETIME, value.isoformat().encode())
    return _dump_zoned(ZONED_DATETIME, value)


def _dump_time(value: dt.time) -> ormsgpack.Ext:
    if value.tzinfo is None and not value.fold:
        return ormsgpack.Ext(TIME, value.isoformat().encode())
    return _dump_zoned(ZONED_TIME, value)


def _dump_zoned(code: int, value: dt.datetime | dt.time) -> ormsgpack.Ext:
    local = value.replace(tzinfo=None).isoformat()
    return ormsgpack.Ext(code, f"{local}|{value.fold}|{_dump_zone(value.tzinfo)}".encode())


def _load_zoned(data: bytes, kind: type[_DateTimeOrTime]) -> _DateTimeOrTime:
    local, fold, zone = data.decode().split("|", 2)
    return kind.fromisoformat(local).replace(tzinfo=_load_zone(zone), fold=int(fold))


def _dump_timedelta(value: dt.timedelta) -> ormsgpack.Ext:
    return ormsgpack.Ext(TIMEDELTA, b"%d %d %d" % (value.days, value.seconds, value.microseconds))


def _load_timedelta(data: bytes) -> dt.timedelta:
    days, seconds, microseconds = map(int, data.split(b" "))
    return dt.timedelta(days, seconds, microseconds)


#: By exact type. Each may raise Unstorable, or UnicodeEncodeError for a lone surrogate.
DUMP: t.Final[dict[type[t.Any], cabc.Callable[[t.Any], ormsgpack.Ext]]] = {
    int: _dump_int,
    dt.datetime: _dump_datetime,
    dt.date: lambda value: ormsgpack.Ext(DATE, value.isoformat().encode()),
    dt.time: _dump_time,
    dt.timedelta: _dump_timedelta,
    decimal.Decimal: lambda value: ormsgpack.Ext(DECIMAL, str(value).encode()),
    uuid.UUID: lambda value: ormsgpack.Ext(UUID, value.bytes),
    markupsafe.Markup: lambda value: ormsgpack.Ext(MARKUP, value.encode()),
}

#: By number. Each may raise anything.
LOAD: t.Final[dict[int, cabc.Callable[[bytes], t.Any]]] = {
    BIG_INT: _load_int,
    DATETIME: lambda data: dt.datetime.fromisoformat(data.decode()),
    DATE: lambda data: dt.date.fromisoformat(data.decode()),
    TIME: lambda data: dt.time.fromisoformat(data.decode()),
    ZONED_DATETIME: lambda data: _load_zoned(data, dt.datetime),
    ZONED_TIME: lambda data: _load_zoned(data, dt.time),
    TIMEDELTA: _load_timedelta,
    DECIMAL: lambda data: decimal.Decimal(data.decode()),
    UUID: lambda data: uuid.UUID(bytes=data),
    MARKUP: lambda data: markupsafe.Markup(data.decode()),  # noqa: S704 - it was Markup before
}
