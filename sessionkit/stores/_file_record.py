"""The file of one session: two slots, written in turn, so that one of them is always whole.

A record is written into the slot that does not hold the current one; only its checksum makes it
the current one. Whoever is killed in the middle leaves the other slot as it was. No file is ever
moved for it, which file systems answer by flushing it to the disk: it is ten times as fast.
"""

from __future__ import annotations

import os
import struct
import typing as t
import zlib

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record

_MAGIC = b"sks1"

# Magic, and the checksum of what follows and of the key, so that a file under another name is no
# session. Then: number of the write, version, expiry, bytes of the owner (-1: none) and of the
# payload, and the checksum of both.
_HEAD = struct.Struct("<4sIQqdiII")
_FIELDS = struct.Struct("<QqdiII")
_PREFIX = struct.Struct("<4sI")
_START = _HEAD.size

#: Bytes of a slot. The first two fit into one block of most file systems; the others are far apart,
#: since a hole costs nothing and a session that outgrows its file must get another one.
_CAPACITIES = (2**11, 2**15, 2**19, 2**23, 2**27, 2**31)
_SMALL, _KEPT = _CAPACITIES[:2]
_SIZES = frozenset(2 * capacity for capacity in _CAPACITIES)


class Contents(t.NamedTuple):
    """What was found in a file."""

    record: Record | None
    #: The number of the write that made it, the slot that it is in, and the bytes of a slot.
    number: int
    slot: int
    capacity: int
    #: Whether nobody was writing. If somebody was, an older record may have been found, or none.
    settled: bool


NOTHING = Contents(None, 0, 0, 0, settled=False)


# The fields of a head. That of a slot that was never written has the number 0, that of one that is
# not whole -1.
_Head = tuple[bytes, int, int, int, float, int, int, int]
_EMPTY: _Head = (b"", 0, 0, 0, 0.0, -1, 0, 0)
_TORN: _Head = (b"", 0, -1, 0, 0.0, -1, 0, 0)
_ZEROS = bytes(_START)


def read(descriptor: int, key: str, *, locked: bool) -> Contents:
    """Return what the open file of *key* holds.

    :param locked: whether nobody can be writing, so that a slot that is not whole stays so.
    """
    start = os.read(descriptor, 2 * _SMALL + 1)
    size = len(start)
    if size > 2 * _SMALL:
        size = os.fstat(descriptor).st_size
    if size not in _SIZES:
        return NOTHING
    capacity = size // 2
    seed = zlib.crc32(key.encode())
    first = _head(start, 0, seed)
    if capacity == _SMALL:
        second = _head(start, _SMALL, seed)
    else:
        second = _head(os.pread(descriptor, _START, capacity), 0, seed)
    settled = locked or (first is not _TORN and second is not _TORN)
    newest = 1 if second[2] > first[2] else 0
    for slot in (newest, 1 - newest):
        head = second if slot else first
        if head[2] > 0:
            record = _record(descriptor, head, start, slot * capacity, capacity)
            if record is not None:
                return Contents(record, head[2], slot, capacity, settled)
        if not locked:
            break  # what the other slot holds may have been replaced since
    return NOTHING


def encode(key: str, record: Record, number: int) -> bytes:
    """Return the bytes of a slot."""
    owner = b"" if record.owner is None else record.owner.encode("utf-8", "surrogatepass")
    fields = _FIELDS.pack(
        number,
        record.version,
        record.expires_at,
        -1 if record.owner is None else len(owner),
        len(record.payload),
        zlib.crc32(record.payload, zlib.crc32(owner)),
    )
    checksum = zlib.crc32(fields, zlib.crc32(key.encode()))
    return b"".join((_PREFIX.pack(_MAGIC, checksum), fields, owner, record.payload))


def fits(slot: bytes, capacity: int) -> bool:
    """Say whether the file is neither too small for it nor far too large."""
    return len(slot) <= capacity and (capacity <= _KEPT or len(slot) * 64 > capacity)


def write_first(descriptor: int, slot: bytes) -> None:
    """Fill an empty file."""
    capacity = next((size for size in _CAPACITIES if len(slot) <= size), None)
    if capacity is None:
        raise StoreUnavailable(f"a session of {len(slot)} bytes is too large for a file")
    _write(descriptor, slot, 0)
    os.ftruncate(descriptor, 2 * capacity)


def write_next(descriptor: int, slot: bytes, current: Contents) -> None:
    """Put *slot* beside the current record and thereby in its place."""
    _write(descriptor, slot, (1 - current.slot) * current.capacity)


def _write(descriptor: int, slot: bytes, offset: int) -> None:
    written = os.pwrite(descriptor, slot, offset)
    while written < len(slot):  # the disk is full, which the next call says
        written += os.pwrite(descriptor, slot[written:], offset + written)


def _head(data: bytes, offset: int, seed: int) -> _Head:
    end = offset + _START
    if len(data) >= end:
        head: _Head = _HEAD.unpack_from(data, offset)
        if head[0] == _MAGIC and zlib.crc32(data[offset + _PREFIX.size : end], seed) == head[1]:
            return head
        if data[offset:end] == _ZEROS:
            return _EMPTY
    return _TORN


def _record(
    descriptor: int, head: _Head, start: bytes, offset: int, capacity: int
) -> Record | None:
    """Return the record of the slot at *offset*, unless it is not whole.

    :param start: what the file starts with.
    """
    _, _, _, version, expires_at, owner_length, payload_length, checksum = head
    length = max(owner_length, 0) + payload_length
    if _START + length > capacity:
        return None
    offset += _START
    if offset + length <= len(start):
        body = start[offset : offset + length]
    else:
        body = os.pread(descriptor, length, offset)
    if len(body) != length or zlib.crc32(body) != checksum:
        return None
    if owner_length < 0:
        return Record(body, version, expires_at)
    try:
        owner = body[:owner_length].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return Record(body[owner_length:], version, expires_at, owner)
