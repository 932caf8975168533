"""The payload: a whole session as bytes, and nothing else is one."""

from __future__ import annotations

import math
import typing as t

import hypothesis
import ormsgpack
import pytest
from hypothesis import strategies as st

from sessionkit.errors import DecodeError
from sessionkit.errors import NewerFormat
from sessionkit.errors import StoreUnavailable
from sessionkit.payload import Header
from sessionkit.payload import Live
from sessionkit.payload import Stub
from sessionkit.payload import pack_live
from sessionkit.payload import pack_stub
from sessionkit.payload import unpack

ID = "abcdefghij_KLMNOPQ-012"
HEADER = Header(ID, 1.5, 2.5, 3.5)
FULL = Header(ID, 1.5, 2.5, 3.5, 60.0, 1e9, True, 2e9, b"\x01\xc0")
VALUES = {"user": b"\x01\x07", "cart": b"\x01\x90"}
SECRET = b"do-not-show-me"

times = st.floats(-1e12, 1e12)
headers = st.builds(
    Header,
    st.text("abcXYZ019-_", min_size=22, max_size=22),
    times,
    times,
    times,
    st.none() | times,
    st.none() | times,
    st.none() | st.booleans(),
    st.none() | times,
    st.none() | st.binary(),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
encoded = st.dictionaries(texts, st.binary())
stubs = st.builds(
    Stub, texts, st.none() | st.text("0123456789abcdef", min_size=64, max_size=64), encoded
)


@hypothesis.given(headers, encoded, encoded)
def test_a_live_session_comes_back(
    header: Header, values: dict[str, bytes], flash: dict[str, bytes]
) -> None:
    live = unpack(pack_live(header, values, flash))
    assert type(live) is Live
    assert type(live.header) is Header
    assert live == (header, values, flash)
    assert list(live.values) == list(values)
    assert [type(field) for field in live.header] == [type(field) for field in header]


@hypothesis.given(stubs)
def test_a_stub_comes_back(stub: Stub) -> None:
    unpacked = unpack(pack_stub(stub))
    assert type(unpacked) is Stub
    assert unpacked == stub


def test_whole_seconds_become_float() -> None:
    live = unpack(pack_live(Header(ID, 1, 2, 3, 60, 1000), {}, {}))
    assert isinstance(live, Live)
    assert live.header == Header(ID, 1.0, 2.0, 3.0, 60.0, 1000.0)


def test_large_values_come_back() -> None:
    values = {"large": bytes(range(256)) * 400, "small": b"x"}
    assert unpack(pack_live(HEADER, values, {})) == (HEADER, values, {})


@pytest.mark.parametrize("public_id", ["", ID[:-1], f"{ID}x"])
def test_a_public_id_of_another_length_is_not_written(public_id: str) -> None:
    with pytest.raises(ValueError, match="22 characters"):
        pack_live(HEADER._replace(public_id=public_id), {}, {})


@pytest.mark.parametrize(
    "payload",
    [
        pack_live(HEADER, {}, {}),
        pack_live(FULL, VALUES, {"hint": b"\x01\xc0"}),
        pack_stub(Stub("renewed", "0f" * 32, {"csrf_token": b"\x01\xc0"})),
    ],
)
def test_cut_and_extended_bytes_are_damage(payload: bytes) -> None:
    for length in range(len(payload)):
        with pytest.raises(DecodeError):
            unpack(payload[:length])
    for more in (b"\x00", b"\xc0", payload):
        with pytest.raises(DecodeError):
            unpack(payload + more)


@pytest.mark.parametrize("format_byte", range(2, 32))
@pytest.mark.parametrize("kind", [b"L", b"S"])
@pytest.mark.parametrize("body", [b"", b"\xff" * 40])
def test_a_later_format_is_unavailable_and_not_damaged(
    format_byte: int, kind: bytes, body: bytes
) -> None:
    length = (10 + len(body)).to_bytes(8, "big")
    with pytest.raises(NewerFormat) as caught:
        unpack(bytes([format_byte]) + kind + length + body)
    assert isinstance(caught.value, StoreUnavailable)


@pytest.mark.parametrize(
    "rest", [b"", b"L", b"\xff" * 40, b"L" + b"\0" * 8 + b"x", b"X\0\0\0\0\0\0\0\x0a"]
)
def test_damage_that_begins_like_a_later_format_is_damage(rest: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack(b"\x02" + rest)


@pytest.mark.parametrize("first", [0, *range(32, 256)])
def test_bytes_that_never_were_ours_are_damage(first: int) -> None:
    with pytest.raises(DecodeError):
        unpack(bytes([first]) + pack_live(HEADER, VALUES, {})[1:])


def test_an_unknown_kind_is_damage() -> None:
    for kind in set(range(256)) - set(b"LS"):
        with pytest.raises(DecodeError):
            unpack(b"\x01" + bytes([kind]) + pack_live(HEADER, VALUES, {})[2:])


LIVE_HEAD = pack_live(HEADER, {}, {})[:-4]
STUB_HEAD = pack_stub(Stub("", None, {}))[:-4]


def with_body(head: bytes, body: bytes) -> bytes:
    return head[:2] + (len(head) + len(body)).to_bytes(8, "big") + head[10:] + body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc0",
        b"\x93\xc1",
        b"\x91" * 5000,
        b"\x93\xdd\xff\xff\xff\xff",
        *map(
            ormsgpack.packb,
            [
                [],
                {},
                "abc",
                [None, {}],
                [None, {}, {}, {}],
                ["meta", {}, {}],
                [None, [], {}],
                [None, {}, []],
                [None, {}, None],
                [None, None, {}],
                [None, {"k": "text"}, {}],
                [None, {"k": b"", "l": None}, {}],
                [None, {}, {"k": 1}],
                [None, {"k": [b""]}, {}],
                [SECRET, {SECRET.decode(): 1}, {}],
            ],
        ),
        ormsgpack.packb([None, {1: b""}, {}], option=ormsgpack.OPT_NON_STR_KEYS),
        ormsgpack.packb([None, ormsgpack.Ext(1, b""), {}]),
    ],
    ids=lambda body: body[:12].hex() or "empty",
)
def test_a_body_of_another_shape_is_damage(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        unpack(with_body(LIVE_HEAD, body))
    assert SECRET.decode() not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["renewed", None],
        ["renewed", None, {}, {}],
        [b"renewed", None, {}],
        [None, None, {}],
        ["renewed", "0f", {}],
        ["renewed", "0F" * 32, {}],
        ["renewed", b"0f" * 32, {}],
        ["renewed", "0f" * 32 + "\n", {}],
        ["renewed", 7, {}],
        ["renewed", None, []],
        ["renewed", None, {"k": "text"}],
    ],
)
def test_a_stub_of_another_shape_is_damage(fields: list[t.Any]) -> None:
    with pytest.raises(DecodeError):
        unpack(with_body(STUB_HEAD, ormsgpack.packb(fields)))


@pytest.mark.parametrize("field", ["created_at", "started_at", "seen_at"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_no_time_is_damage(field: str, value: t.Any) -> None:
    with pytest.raises(DecodeError):
        unpack(pack_live(FULL._replace(**{field: value}), {}, {}))


@pytest.mark.parametrize("field", ["idle", "until", "promised_until"])
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_endless_limit_is_damage(field: str, value: t.Any) -> None:
    with pytest.raises(DecodeError):
        unpack(pack_live(FULL._replace(**{field: value}), {}, {}))


@pytest.mark.parametrize("char", ["<", " ", "\n", "\x00", "=", "."])
def test_a_public_id_of_other_characters_is_damage(char: str) -> None:
    with pytest.raises(DecodeError):
        unpack(pack_live(HEADER._replace(public_id=ID[:-1] + char), {}, {}))


def test_a_transient_that_is_neither_is_damage() -> None:
    payload = bytearray(pack_live(HEADER, {}, {}))
    place = len(LIVE_HEAD) - 1
    assert payload[place] == 2
    for value in range(3, 256):
        payload[place] = value
        with pytest.raises(DecodeError):
            unpack(bytes(payload))


def unpacked_or_damage(payload: bytes) -> None:
    try:
        whole = unpack(payload)
    except NewerFormat:
        assert payload[0] in range(2, 32)
    except DecodeError:
        return
    else:
        packed = pack_stub(whole) if isinstance(whole, Stub) else pack_live(*whole)
        assert unpack(packed) == whole


@hypothesis.given(st.binary())
def test_any_bytes_are_unpacked_or_damage(data: bytes) -> None:
    unpacked_or_damage(data)
    unpacked_or_damage(with_body(LIVE_HEAD, data))
    unpacked_or_damage(with_body(STUB_HEAD, data))


@hypothesis.given(headers, encoded, stubs, st.data())
def test_changed_bytes_are_unpacked_or_damage(
    header: Header, values: dict[str, bytes], stub: Stub, data: st.DataObject
) -> None:
    for payload in (pack_live(header, values, {}), pack_stub(stub)):
        changed = bytearray(payload)
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(changed)))
            changed[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        unpacked_or_damage(bytes(changed))
        if len(changed) >= 10:
            changed[2:10] = len(changed).to_bytes(8, "big")
            unpacked_or_damage(bytes(changed))
