"""How a record looks where an engine keeps it as one value."""

from __future__ import annotations

import struct
import typing as t

from sessionkit.store import Record

R = t.TypeVar("R", bound=Record)

# Version, expires_at, format, length of the owner; then the owner and the payload.
_HEAD = struct.Struct(">QdBH")
_FORMAT = 1


def pack(record: Record) -> bytes:
    """Return the value for *record*; its first eight bytes are its version, the next its expiry."""
    owner = b"" if record.owner is None else record.owner.encode()
    head = _HEAD.pack(record.version, record.expires_at, _FORMAT, len(owner))
    return b"".join((head, owner, record.payload))


def unpack(value: bytes, kind: type[R]) -> R | None:
    """Return the record in *value*; None if it is none, or one that was cut off."""
    if len(value) < _HEAD.size:
        return None
    version, expires_at, form, length = _HEAD.unpack_from(value)
    start = _HEAD.size + length
    if form != _FORMAT or len(value) < start:
        return None
    if not length:
        return kind(value[start:], version, expires_at)
    try:
        return kind(value[start:], version, expires_at, value[_HEAD.size : start].decode())
    except UnicodeDecodeError:
        return None
