"""Values that expire by themselves: a moment before the codec's bytes.

The codec's bytes never begin with zero, so most values are told from these by their first byte.
"""

from __future__ import annotations

import struct

from .errors import DecodeError

_MARK = 0
_PREFIX = struct.Struct(">Bd")


def expiring(encoded: bytes, until: float) -> bytes:
    """Return the codec's bytes of a value, to be taken for absent from *until* (POSIX seconds)."""
    return _PREFIX.pack(_MARK, until) + encoded


def is_expiring(data: bytes) -> bool:
    return data[:1] == b"\0"


def until(data: bytes) -> float:
    """Return the POSIX time at which an expiring value ends.

    :raises DecodeError: if its bytes are cut off.
    """
    try:
        moment: float = _PREFIX.unpack_from(data)[1]
    except struct.error:
        raise DecodeError("a stored value is cut off") from None

    return moment


def is_over(moment: bytes, now: float) -> bool:
    """Say whether a value is absent at *now* (POSIX seconds).

    :param moment: as :func:`split` returns it.
    """
    # As NaN never is.
    return bool(moment) and not now < until(moment)


def split(data: bytes) -> tuple[bytes, bytes]:
    """Return the moment, as it stands before a value, or nothing; and the codec's bytes."""
    return (data[: _PREFIX.size], data[_PREFIX.size :]) if is_expiring(data) else (b"", data)
