"""Bytes that the codec has not made: damage, and nothing worse."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t

import hypothesis
import ormsgpack
import pytest
from hypothesis import strategies as st

from sessionkit.codec import Codec
from sessionkit.errors import DecodeError
from sessionkit.errors import SessionError
from tests.core.codec.support import CODEC
from tests.core.codec.support import ROOT
from tests.core.codec.support import SECRET
from tests.core.codec.support import TYPES
from tests.core.codec.support import assert_round_trip
from tests.core.codec.support import values


def framed(packed: bytes) -> bytes:
    if len(packed) < 255:
        return bytes([len(packed)]) + packed
    return b"\xff" + len(packed).to_bytes(8, "big") + packed


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
