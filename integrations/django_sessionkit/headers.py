"""The session's headers in an answer of Django's, but for cookies."""

from __future__ import annotations

import typing as t

from sessionkit import Session
from sessionkit.answer import plain_headers
from sessionkit.cookie import Instruction

if t.TYPE_CHECKING:
    from django.http import HttpResponseBase

_ABSENT: t.Final = (None, None)


def add_plain_headers(
    response: HttpResponseBase, session: Session, instruction: Instruction
) -> None:
    """Tell caches, and a client of an API, what *session* has them know.

    Past ``ResponseHeaders`` itself, which finds a missing name by an exception and encodes each
    name and value for a look at it: with two headers in every answer that has used its session,
    that is half of what this package adds to the core.
    """
    headers: t.Any = response.headers
    entries = getattr(headers, "_store", None)

    if entries is None:  # as another Django may have it
        vary, cache_control = headers.get("Vary"), headers.get("Cache-Control")
    else:
        _, vary = entries.get("vary", _ABSENT)
        _, cache_control = entries.get("cache-control", _ABSENT)

    added = plain_headers(session, instruction, vary=vary, cache_control=cache_control)

    for name, value in added:
        if entries is None:
            headers[name] = value
        else:
            entries[name.lower()] = name, value
