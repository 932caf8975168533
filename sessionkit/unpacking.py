"""``unpack``: ormsgpack's, which before 1.13 needs protection from damaged lengths.

It reserves memory for as many items as the bytes claim to hold, and never gives it back. Python
3.10 has no newer one.
"""

from __future__ import annotations

import importlib.metadata
import re
import typing as t

import ormsgpack

#: The headers of arrays and maps that may claim to be large; in most bytes there are none.
_claims_much: t.Final = re.compile(rb"[\xdc-\xdf]").search

#: By the first byte: bytes that follow, and how many of them are a length of so many bytes more.
_FIXED: t.Final = {
    **dict(zip(range(0xCA, 0xD4), (4, 8, 1, 2, 4, 8, 1, 2, 4, 8), strict=True)),
    **{byte: 1 + (1 << (byte - 0xD4)) for byte in range(0xD4, 0xD9)},
}
_SIZED: t.Final = {
    0xC4: (1, 0),
    0xC5: (2, 0),
    0xC6: (4, 0),
    0xC7: (1, 1),
    0xC8: (2, 1),
    0xC9: (4, 1),
    0xD9: (1, 0),
    0xDA: (2, 0),
    0xDB: (4, 0),
}
_COUNTED: t.Final = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def check_lengths(data: bytes | memoryview) -> None:
    """Raise ``ValueError`` if *data* claims to hold more items than it has bytes."""
    at, missing, size = 0, 1, len(data)

    while missing > 0:
        if missing > size - at:
            raise ValueError("a length is larger than what there is")

        byte = data[at]
        at += 1
        missing -= 1

        if 0x80 <= byte <= 0x8F:
            missing += 2 * (byte & 0x0F)
        elif 0x90 <= byte <= 0x9F:
            missing += byte & 0x0F
        elif 0xA0 <= byte <= 0xBF:
            at += byte & 0x1F
        elif byte in _FIXED:
            at += _FIXED[byte]
        elif byte in _SIZED:
            width, more = _SIZED[byte]
            at += width + more + int.from_bytes(data[at : at + width], "big")
        elif byte in _COUNTED:
            width, each = _COUNTED[byte]
            missing += each * int.from_bytes(data[at : at + width], "big")
            at += width


def _checked(data: bytes | memoryview, /, **options: t.Any) -> t.Any:
    if _claims_much(data):
        check_lengths(data)

    return ormsgpack.unpackb(data, **options)


def _release() -> tuple[int, int]:
    major, minor = importlib.metadata.version("ormsgpack").split(".")[:2]
    return int(major), int(minor)


unpack: t.Callable[..., t.Any] = ormsgpack.unpackb if _release() >= (1, 13) else _checked
