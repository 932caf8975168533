"""Containers that the application holds, changed in place to what was merged behind its back."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .codec import Codec
from .errors import DecodeError
from .expiring import split


def refresh(
    held: cabc.Mapping[str, t.Any], current: cabc.Mapping[str, bytes], codec: Codec
) -> dict[str, t.Any]:
    """Let containers show what is in *current*; return those that do.

    What cannot be changed in place, or has become of another type, is decoded anew when it is next
    asked for.

    :param held: values by key.
    :param current: codec bytes by key, some of which expire.
    """
    shown: dict[str, t.Any] = {}

    for key, value in held.items():
        encoded = split(current[key])[1] if key in current else None

        if encoded is not None and _shows(value, encoded, codec, key):
            shown[key] = value

    return shown


def _shows(value: t.Any, encoded: bytes, codec: Codec, key: str) -> bool:
    if codec.encode(value, key) == encoded:
        return True

    try:
        fresh = codec.decode(encoded)
    except DecodeError:
        return False

    if type(fresh) is not type(value) or type(value) not in (list, dict, set):
        return False

    value.clear()
    value.extend(fresh) if type(value) is list else value.update(fresh)
    return True
