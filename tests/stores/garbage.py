"""Bytes under a key of ours that we have not put there."""

from __future__ import annotations

import struct

#: No records of the engines that keep a record as one string.
GARBAGE = [
    b"",
    b"x",
    b"\0" * 18,
    b"\0" * 19,
    b"another application's",
    b"{'user': 1, 'name': 'a longer one', 'more': [1, 2, 3]}",
    b"\xd7" * 16 + b"\2" + b"\xd7" * 83,
    struct.pack(">QdBH", 1, 0.0, 1, 5) + b"shor",
    struct.pack(">QdBH", 1, 0.0, 1, 2) + b"\xff\xfe payload",
]
