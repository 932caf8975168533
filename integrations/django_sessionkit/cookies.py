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

_NOTHING: t.Final = dict(http.cookies.Morsel())
_DELETED: t.Final = Set("", max_age=0)


class SessionCookie(Morsel):
    """A cookie with Django's interface whose header is the same in all three ways in.

    :param https: how the request has arrived.
    """

    def __init__(self, options: CookieOptions, instruction: Set | Delete, *, https: bool) -> None:
        shown = instruction if isinstance(instruction, Set) else _DELETED
        # All at once: the methods of Morsel and of dict's subclasses look at each name by itself.
        dict.__init__(self, _NOTHING)
        dict.update(
            self,
            {
                "path": options.path,
                "domain": options.domain or "",
                "max-age": "" if shown.max_age is None else shown.max_age,
                "secure": options.is_secure(https) or "",
                "httponly": options.httponly or "",
                "samesite": options.samesite or "",
            },
        )
        self.set(options.name, shown.value, shown.value)
        self._header = options.header(instruction, https=https)

    def OutputString(self, attrs: cabc.Container[str] | None = None) -> str:  # noqa: N802
        return self._header
