"""A cookie as Django hands cookies on, with the text that the core has made."""

from __future__ import annotations

import collections.abc as cabc
import http.cookies
import typing as t

from sessionkit import CookieOptions
from sessionkit.cookie import Delete
from sessionkit.cookie import Set

if t.TYPE_CHECKING:
    Morsel = http.cookies.Morsel[str]
else:
    Morsel = http.cookies.Morsel


class SessionCookie(Morsel):
    """A cookie with Django's interface whose header is the same in all three ways in.

    :param https: how the request has arrived.
    """

    def __init__(self, options: CookieOptions, instruction: Set | Delete, *, https: bool) -> None:
        super().__init__()
        shown = instruction if isinstance(instruction, Set) else Set("", max_age=0)
        self.set(options.name, shown.value, shown.value)
        attributes: dict[str, t.Any] = {
            "path": options.path,
            "domain": options.domain or "",
            "max-age": "" if shown.max_age is None else shown.max_age,
            "secure": options.is_secure(https) or "",
            "httponly": options.httponly or "",
            "samesite": options.samesite or "",
        }
        # Without Morsel's own, which looks for names that there are not.
        dict.update(self, attributes)
        self._header = options.header(instruction, https=https)

    def OutputString(self, attrs: cabc.Container[str] | None = None) -> str:  # noqa: N802
        return self._header
