"""The header in which clients of an API send the session's id, and get it, in place of a cookie."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .cookie import is_token
from .errors import ConfigurationError

_AUTHORIZATION: t.Final = "authorization"
_ANSWER: t.Final = "X-Session-Id"

# They mean something else, or have another name in the environ.
_REFUSED: t.Final = ("cookie", "set-cookie", "host", "content-type", "content-length")


class IdHeader:
    """Where a request has its id and where the answer has it.

    :param name: ``"Authorization"``: requests say ``Authorization: Bearer <id>``, answers
        ``X-Session-Id: <id>``. Any other: both have the bare id there.
    :raises ConfigurationError: if it cannot be such a header's name.
    """

    def __init__(self, name: str) -> None:
        # Servers make no difference between "-" and "_".
        if not is_token(name) or "_" in name or name.lower() in _REFUSED:
            raise ConfigurationError(
                "header must be 'Authorization' or the name of a header of your own, such as "
                "'X-Session-Id'"
            )

        self.name: str = name
        self._is_authorization = name.lower() == _AUTHORIZATION
        self.answer_name: str = _ANSWER if self._is_authorization else name
        self._key = f"HTTP_{name.upper().replace('-', '_')}"

    def find(self, environ: cabc.Mapping[str, t.Any]) -> str | None:
        """Return what stands in the header: None without one, "" if it is empty or no bearer's."""
        value: str | None = environ.get(self._key)

        if value is None or not self._is_authorization:
            return value and value.strip(" \t")

        scheme, _, token = value.strip(" \t").partition(" ")
        return token.strip(" \t") if scheme.lower() == "bearer" else ""
