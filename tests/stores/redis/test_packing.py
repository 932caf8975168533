"""How commands are written down."""

from __future__ import annotations

import typing as t

import pytest
import redis

from sessionkit.stores._redis_packing import packed


@pytest.mark.parametrize(
    "words",
    [
        ("GET", "sessionkit:" + "a" * 64),
        ("SET", "ü:\0\r\n", b"\xff\r\n$3\r\n\0" * 100, "NX", "PXAT", 1_760_000_000_000),
        ("WAIT", 0, -1, "", b""),
    ],
)
def test_as_redis_py_does(words: tuple[str | bytes | int, ...]) -> None:
    make: t.Any = redis.Connection
    assert packed(*words) == b"".join(make().pack_command(*words))
