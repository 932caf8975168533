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
_PREFIX = struct.Struct("<4sI")
_FIELDS = struct.Struct("<QqdiII")
_START = _PREFIX.size + _FIELDS.size

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


# What the head of a slot says: the number of the write, and the other fields. A slot that was never
# written has the number 0, one that is not whole -1.
_Claim = tuple[int, int, float, int, int, int]
_EMPTY: _Claim = (0, 0, 0.0, -1, 0, 0)
_TORN: _Claim = (-1, 0, 0.0, -1, 0, 0)
_ZEROS = bytes(_START)


def read(descriptor: int, key: str, *, locked: bool) -> Contents:
    """Return what the open file of *key* holds.

    :param locked: whether nobody can be writing, so that a slot that is not whole stays so.
    """
    first = os.read(descriptor, 2 * _SMALL + 1)
    size = len(first)
    if size > 2 * _SMALL:
        size = os.fstat(descriptor).st_size
    if size not in _SIZES:
        return NOTHING
    capacity = size // 2
    second = first[_SMALL:] if capacity == _SMALL else os.pread(descriptor, _SMALL, capacity)
    seed = zlib.crc32(key.encode())
    claims = (_claim(first, seed), _claim(second, seed))
    settled = locked or (claims[0] is not _TORN and claims[1] is not _TORN)
    newest = 1 if claims[1][0] > claims[0][0] else 0
    for slot in (newest, 1 - newest):
        claim = claims[slot]
        if claim[0] > 0:
            chunk = second if slot else first[:_SMALL]
            record = _record(descriptor, claim, chunk, slot * capacity, capacity)
            if record is not None:
                return Contents(record, claim[0], slot, capacity, settled)
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


def _claim(chunk: bytes, seed: int) -> _Claim:
    head = chunk[:_START]
    if head == _ZEROS:
        return _EMPTY
    if len(head) == _START:
        fields = head[_PREFIX.size :]
        if _PREFIX.unpack_from(head) == (_MAGIC, zlib.crc32(fields, seed)):
            return _FIELDS.unpack(fields)
    return _TORN


def _record(
    descriptor: int, claim: _Claim, chunk: bytes, offset: int, capacity: int
) -> Record | None:
    _, version, expires_at, owner_length, payload_length, checksum = claim
    middle = _START + max(owner_length, 0)
    end = middle + payload_length
    if end > capacity:
        return None
    if end > len(chunk):
        chunk += os.pread(descriptor, end - len(chunk), offset + len(chunk))
    owner, payload = chunk[_START:middle], chunk[middle:end]
    if len(chunk) < end or zlib.crc32(payload, zlib.crc32(owner)) != checksum:
        return None
    if owner_length < 0:
        return Record(payload, version, expires_at)
    try:
        return Record(payload, version, expires_at, owner.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        return None
