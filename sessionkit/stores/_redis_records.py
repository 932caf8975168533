"""How records look in Redis, and what their keys are called."""

from __future__ import annotations

import collections.abc as cabc
import hashlib
import math
import re
import struct

from sessionkit.errors import ConfigurationError
from sessionkit.store import Record

# What a packed record begins with.
_VERSION = struct.Struct(">Q")
_EXPIRES_AT = struct.Struct(">d")

# Where it says how long its owner's name is: from this byte to that one.
_OWNER_LENGTH = (17, 18)

# The end of the year 9999: what never expires does not overflow the server's milliseconds.
_FAR_FUTURE = 253402300799.0

#: Returns what a record of a version begins with, for the scripts to compare.
pack_version = _VERSION.pack

_is_key = re.compile(rb"[0-9a-f]{64}").fullmatch


def ask_for_expiry(name: str) -> tuple[str, str, int, int]:
    """Return the command for the part of a record that :func:`is_live` looks at."""
    return ("GETRANGE", name, _VERSION.size, _VERSION.size + _EXPIRES_AT.size - 1)


def is_live(answer: object, now: float) -> bool:
    """Say whether a record, of which this is a part, has not expired; an error is none."""
    if not isinstance(answer, bytes) or len(answer) != _EXPIRES_AT.size:
        return False
    (expires_at,) = _EXPIRES_AT.unpack(answer)
    return bool(expires_at > now)


def ask_for_owner(name: str) -> tuple[str, str, int, int]:
    """Return the command for the part of a record that :func:`is_nobodys` looks at."""
    return ("GETRANGE", name, *_OWNER_LENGTH)


def is_nobodys(answer: object) -> bool:
    """Say whether there is no record, or one without an owner; an error does not say so."""
    return answer in (b"", b"\0\0")


def deadline(record: Record, margin: float) -> int:
    """Return the millisecond at which the server may drop *record*; 0 would be an error."""
    return max(1, math.ceil((min(record.expires_at, _FAR_FUTURE) + margin) * 1000))


def keys_of(members: cabc.Iterable[bytes]) -> list[str]:
    """Return which of an index's members are keys: anything may have been put into it."""
    return [member.decode() for member in members if _is_key(member)]


class Names:
    """The names of what one store keeps.

    :param prefix: what they all begin with.
    """

    def __init__(self, prefix: str) -> None:
        if prefix.endswith("owner:"):
            raise ConfigurationError("the prefix 'owner:' is that of the store's own indexes")
        self.prefix = prefix
        #: What SCAN is told to look for; it finds names of others, too.
        self.pattern = re.sub(r"([*?\[\]\\])", r"\\\1", prefix) + "*"
        self._ours = re.compile(re.escape(prefix) + "(owner:)?([0-9a-f]{64})")

    def index(self, owner: str) -> str:
        return f"{self.prefix}owner:{hashlib.sha256(owner.encode()).hexdigest()}"

    def sort(self, found: cabc.Iterable[bytes]) -> tuple[list[str], list[str]]:
        """Return which of these are names of our records, and which of our indexes."""
        matches = [self._ours.fullmatch(name.decode("utf-8", "replace")) for name in found]
        return (
            [match.group() for match in matches if match and not match[1]],
            [match.group() for match in matches if match and match[1]],
        )
