"""Cookies of the application's own, with the options of the session cookie. Not kept in a store."""

from __future__ import annotations

import datetime
import math
import typing as t
import urllib.parse

import itsdangerous

from .cookie import MAX_AGE_LIMIT
from .cookie import CookieOptions
from .cookie import Delete
from .cookie import Set
from .errors import ConfigurationError
from .errors import SessionCommitted
from .errors import ValueNotSupported
from .mapping import SessionMapping
from .policy import seconds

#: Browsers ignore longer ones without a word.
MAX_SIZE: t.Final = 4096

# What RFC 6265 allows in a value, apart from the percent sign. Letters and digits are safe anyway.
_SAFE: t.Final = "!#$&'()*+-./:<=>?@[]^_`{|}~"


class CustomCookie(t.NamedTuple):
    """What the answer says about a cookie of the application's own."""

    options: CookieOptions
    instruction: Set | Delete

    def header(self, *, https: bool) -> str:
        """Return the value of the ``Set-Cookie`` header."""
        return self.options.header(self.instruction, https=https)


class CustomCookies(SessionMapping):
    """The part of :class:`~sessionkit.Session` that sets other cookies than its own."""

    #: Whether this request has looked at cookies of the application's own, or set some.
    used_cookies: bool = False

    _custom_cookies: dict[str, CustomCookie] | None = None

    @property
    def custom_cookies(self) -> list[CustomCookie]:
        """What the answer says about cookies of the application's own."""
        return [*self._custom_cookies.values()] if self._custom_cookies else []

    def drop_custom_cookies(self) -> None:
        """Forget the cookies that were set: a 503 is answered in place of the application."""
        self._custom_cookies = None

    def stand_in_for(self, other: CustomCookies) -> None:
        """Answer the request of *other*, in whose place this session is."""
        self.token: str | None = other.token
        self.used_cookies |= other.used_cookies
        self._custom_cookies = {**(other._custom_cookies or {}), **(self._custom_cookies or {})}

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        signed: bool = False,
        max_age: float | datetime.timedelta | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool | t.Literal["auto"] = "auto",
        httponly: bool = True,
        samesite: t.Literal["Lax", "Strict", "None"] | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Set a cookie of the application's own with this answer. The session is not loaded.

        Of several calls for one name the last one counts.

        :param name: any but the session cookie's.
        :param value: any text. What may not stand in a cookie is percent-encoded, as JavaScript's
            ``encodeURIComponent`` does.
        :param signed: so that nobody else can make or change it; everybody can still read it, and
            keep it for longer than *max_age*.
        :param max_age: seconds or ``timedelta``; None: until the browser is closed.

        The others are those of :class:`~sessionkit.CookieOptions`.

        :raises ConfigurationError: if an option is wrong, if the cookie is longer than browsers
            keep, or if it is to be signed and the manager has no secrets.
        :raises SessionCommitted: if the answer has begun.
        """
        options = CookieOptions(name, path, domain, secure, httponly, samesite, partitioned)
        age = seconds(max_age, f"cookie {name!r}: max_age")
        text = _quoted(name, value)

        if signed:
            text = self._signer(name).sign(text).decode()

        whole_seconds = None if age is None else min(math.ceil(age), MAX_AGE_LIMIT)
        cookie = CustomCookie(options, Set(text, whole_seconds))

        if len(cookie.header(https=True)) > MAX_SIZE:
            raise ConfigurationError(
                f"cookie {name!r} would have more than {MAX_SIZE} bytes, which browsers ignore; "
                "keep large values in the session"
            )

        self._announce(cookie)

    def delete_cookie(
        self,
        name: str,
        *,
        path: str = "/",
        domain: str | None = None,
        secure: bool | t.Literal["auto"] = "auto",
        httponly: bool = True,
        samesite: t.Literal["Lax", "Strict", "None"] | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Delete a cookie of the application's own; the options are those it was set with.

        :raises ConfigurationError: if an option is wrong.
        :raises SessionCommitted: if the answer has begun.
        """
        options = CookieOptions(name, path, domain, secure, httponly, samesite, partitioned)
        self._announce(CustomCookie(options, Delete()))

    def get_cookie(self, name: str, *, signed: bool = False) -> str | None:
        """Return the value of a cookie that the browser has sent, or None.

        :param signed: only one that :meth:`set_cookie` has signed under this name.
        :raises ConfigurationError: if the manager has no secrets to check it with, or for the
            session's own cookie.
        """
        self._refuse_own(name)
        self.used_cookies = True
        values = CookieOptions(name).find(self._cookie_header or "")

        if signed:
            signer = self._signer(name)
            values = [text for value in values if (text := _unsigned(signer, value)) is not None]

        return urllib.parse.unquote(values[0]) if values else None

    def _signer(self, name: str) -> itsdangerous.Signer:
        return self.manager.cookie_signer(name)

    def _announce(self, cookie: CustomCookie) -> None:
        self._refuse_own(cookie.options.name)

        if self.committed:
            raise SessionCommitted(
                "a cookie was set after the answer had begun. Set it before the response is "
                "returned; in a streamed answer, before its first byte."
            )

        self.used_cookies = True
        cookies = self._custom_cookies = self._custom_cookies or {}
        cookies.pop(cookie.options.name, None)
        cookies[cookie.options.name] = cookie

    def _refuse_own(self, name: str) -> None:
        if name in (self.cookie.name, self.manager.cookie.name):
            raise ConfigurationError(f"cookie {name!r} is the session's own; choose another name")


def _quoted(name: str, value: object) -> str:
    if not isinstance(value, str):
        kind = type(value).__name__
        raise ValueNotSupported(f"cookie {name!r}", f"its value must be text, not {kind}")

    try:
        return urllib.parse.quote(value, safe=_SAFE)
    except UnicodeEncodeError:
        raise ConfigurationError(f"cookie {name!r}: its value contains lone surrogates") from None


def _unsigned(signer: itsdangerous.Signer, value: str) -> str | None:
    try:
        return signer.unsign(value).decode()
    except (itsdangerous.BadSignature, ValueError):
        return None
