"""A whole session as bytes: what a store keeps as the payload of a record.

One format byte, one byte for the kind, the length of all in eight bytes; for a live session the
fixed part of its header; then a MessagePack list. Cut, extended and foreign bytes are told from
whole ones. There is no checksum: who can change a byte can change a checksum.
"""

from __future__ import annotations

import math
import re
import string
import struct
import typing as t

import ormsgpack

from .errors import DecodeError
from .errors import NewerFormat
from .unpacking import unpack as unpack_body

_FORMAT = 1
#: What later versions may begin with; the kind and the length follow in all of them. The last one
#: is taken: encrypted records begin with it.
LATER_FORMATS: t.Final = range(_FORMAT + 1, 32)
_LIVE, _STUB = b"\x01L", b"\x01S"

_PREFIX = struct.Struct(">2sQ")
# public_id, created_at, started_at, seen_at, idle, until, promised_until; NaN stands for None.
_HEAD = struct.Struct(">2sQ22s6dB")
_TRANSIENT = (False, True, None)
_SMALL = 4096

_URL_SAFE = f"{string.ascii_letters}{string.digits}-_".encode()
_BYTES = frozenset({bytes})
# Twice as fast as calling the class, on the path of every request that reads.
_new: t.Final[t.Any] = tuple.__new__
_is_store_key = re.compile(r"[0-9a-f]{64}").fullmatch


class Header(t.NamedTuple):
    """What is known about a live session beside its values. All times are POSIX seconds."""

    #: 22 URL-safe characters, kept through renewals. Empty before the session is stored, unless
    #: somebody has asked for it.
    public_id: str
    created_at: float
    #: Where the absolute limit counts from; a login restarts it.
    started_at: float
    #: The last write or refresh.
    seen_at: float
    #: This session's own idle limit in seconds. None: the policy's.
    idle: float | None = None
    #: This session's own fixed end. None: the policy's.
    until: float | None = None
    #: Whether the cookie ends with the browser. None: the policy's.
    transient: bool | None = None
    #: Until when the browser was told to keep the cookie.
    promised_until: float | None = None
    #: What ``bind()`` was given, as the codec's bytes.
    meta: bytes | None = None

    # Three times as fast as _replace(), on the path of every write.

    def named(self, public_id: str) -> Header:
        """Return the header of a session that had no public id."""
        header: Header = _new(Header, (public_id, *self[1:]))
        return header

    def begun(self, at: float) -> Header:
        """Return the header of a session that was created at that time."""
        header: Header = _new(Header, (self[0], at, at, at, *self[4:]))
        return header

    def seen(self, at: float) -> Header:
        """Return the header of a session that was used at that time."""
        header: Header = _new(Header, (*self[:3], at, *self[4:]))
        return header

    def promised(self, until: float | None) -> Header:
        """Return the header of a session whose cookie is kept until then."""
        header: Header = _new(Header, (*self[:7], until, *self[8:]))
        return header


class Live(t.NamedTuple):
    """A session: its header, and the codec's bytes of each value and of each flash."""

    header: Header
    values: dict[str, bytes]
    flash: dict[str, bytes]


class Stub(t.NamedTuple):
    """What is left under an ended id for a short while."""

    #: Such as "renewed", "revoked" or "evicted".
    reason: str
    #: The store key of the record that replaced it.
    successor: str | None
    #: Form tokens only.
    values: dict[str, bytes]


def pack_live(header: Header, values: dict[str, bytes], flash: dict[str, bytes]) -> bytes:
    """Return the payload of a live session.

    :raises ValueError: if the public id is not of 22 characters.
    """
    public_id, created, started, seen, idle, until, transient, promised, meta = header
    if len(public_id) != 22:
        raise ValueError("a public id has 22 characters")
    body = ormsgpack.packb((meta, values, flash))
    head = _HEAD.pack(
        _LIVE,
        _HEAD.size + len(body),
        public_id.encode(),
        created,
        started,
        seen,
        math.nan if idle is None else idle,
        math.nan if until is None else until,
        math.nan if promised is None else promised,
        2 if transient is None else transient,
    )
    return head + body


def pack_stub(stub: Stub) -> bytes:
    """Return the payload that takes the place of an ended session."""
    body = ormsgpack.packb(tuple(stub))
    return _PREFIX.pack(_STUB, _PREFIX.size + len(body)) + body


def unpack(payload: bytes) -> Live | Stub:
    """Return what *payload* holds.

    :raises DecodeError: if it is damaged or was never one of ours.
    :raises NewerFormat: if a later version of this package wrote it.
    """
    try:
        whole = _live(payload) if payload.startswith(_LIVE) else _stub(payload)
    except Exception as error:  # noqa: BLE001 - its text may quote the payload
        raise DecodeError(f"a stored session is damaged ({type(error).__name__})") from None
    if whole is not None:
        return whole
    if _is_of_later_version(payload):
        raise NewerFormat("the session was written in a format of a later version")
    raise DecodeError("a stored session is damaged")


def is_no_stub(payload: bytes) -> bool:
    """Say whether *payload* begins as that of a session does. Nothing of it is decoded."""
    return payload.startswith(_LIVE)


def _is_of_later_version(payload: bytes) -> bool:
    if len(payload) < _PREFIX.size or payload[0] not in LATER_FORMATS:
        return False
    start, length = _PREFIX.unpack_from(payload)
    return start[1:] in (_LIVE[1:], _STUB[1:]) and length == len(payload)


def _live(payload: bytes) -> Live | None:
    _, length, public_id, created, started, seen, idle, until, promised, transient = (
        _HEAD.unpack_from(payload)
    )
    if length != len(payload) or public_id.translate(None, _URL_SAFE):
        return None
    # A slice of a few bytes is cheaper than a view of them.
    meta, values, flash = unpack_body(
        payload[_HEAD.size :] if length < _SMALL else memoryview(payload)[_HEAD.size :]
    )
    times = created + started + seen
    if idle == idle:
        times += idle
    else:
        idle = None
    if until == until:
        times += until
    else:
        until = None
    if promised == promised:
        times += promised
    else:
        promised = None
    if (
        # One that is infinite or NaN makes the sum so. No comparison with NaN is ever true.
        times - times != 0
        or not (meta is None or type(meta) is bytes)
        or not _BYTES.issuperset(map(type, values.values()))
        or (flash != {} and not _BYTES.issuperset(map(type, flash.values())))
    ):
        return None
    fields = (
        public_id.decode(),
        created,
        started,
        seen,
        idle,
        until,
        _TRANSIENT[transient],
        promised,
        meta,
    )
    live: Live = _new(Live, (_new(Header, fields), values, flash))
    return live


def _stub(payload: bytes) -> Stub | None:
    if not payload.startswith(_STUB) or _PREFIX.unpack_from(payload)[1] != len(payload):
        return None
    stub = Stub._make(unpack_body(payload[_PREFIX.size :]))
    if (
        type(stub.reason) is not str
        or not (stub.successor is None or _is_store_key(stub.successor))
        or not _BYTES.issuperset(map(type, stub.values.values()))
    ):
        return None
    return stub
