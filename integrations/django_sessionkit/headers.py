"""One header of an answer of Django's, read and written.

``ResponseHeaders`` finds a missing name by an exception, and encodes each name and value to see
whether it may stand there. For two headers in every answer that used its session that costs as much
as the session's way through this package; what is written here was made of checked parts.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from django.http import HttpResponseBase

_ABSENT: t.Final = (None, None)


def find(response: HttpResponseBase, name: str) -> str | None:
    """Return the value of a header, or None if it is not there."""
    headers: t.Any = response.headers
    value: str | None

    try:
        _, value = headers._store.get(name.lower(), _ABSENT)
    except AttributeError:  # as another Django may have it
        value = headers.get(name)

    return value


def put(response: HttpResponseBase, name: str, value: str) -> None:
    """Add a header, or replace it."""
    headers: t.Any = response.headers

    try:
        headers._store[name.lower()] = name, value
    except AttributeError:
        headers[name] = value
