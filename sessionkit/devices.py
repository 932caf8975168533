"""What a list of somebody's sessions says about each: a label, an address, a user agent."""

from __future__ import annotations

import collections.abc as cabc
import re
import typing as t
import unicodedata
from pathlib import Path

from .errors import ConfigurationError

#: How many characters of each are kept.
LIMITS: t.Final = {"label": 100, "address": 64, "user_agent": 256}

#: What the pages of Flask and Django look like.
STYLESHEET: t.Final = Path(__file__).with_name("static") / "devices.css"

_VARIABLES: t.Final = {"address": "REMOTE_ADDR", "user_agent": "HTTP_USER_AGENT"}

# They make a text run backwards, and what stands after it, too.
_OVERRIDES: t.Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Most claim to be others as well: the first that is found counts.
_BROWSERS: t.Final = {
    r"\b(?:Edg|EdgA|EdgiOS)/": "Edge",
    r"\bOPR/": "Opera",
    r"\bSamsungBrowser/": "Samsung Internet",
    r"\b(?:Firefox|FxiOS)/": "Firefox",
    r"\b(?:Chrome|CriOS|Chromium|HeadlessChrome)/": "Chrome",
    r"\bVersion/\S+ .*\bSafari/": "Safari",
}
_SYSTEMS: t.Final = {
    r"\biPhone\b": "iPhone",
    r"\biPad\b": "iPad",
    r"\bAndroid\b": "Android",
    r"\bWindows\b": "Windows",
    r"\b(?:Macintosh|Mac OS X)\b": "macOS",
    r"\bCrOS\b": "ChromeOS",
    r"\bLinux\b": "Linux",
}


def device_of(environ: cabc.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the address and the user agent of a request, for ``session.bind``.

    An address is personal data: keep it only if your users are told. Behind a proxy it is the
    proxy's, unless something such as werkzeug's ``ProxyFix`` has put the user's in its place.

    :param environ: of a WSGI request, or Django's ``request.META``.

    >>> device_of({"REMOTE_ADDR": "192.0.2.1", "HTTP_USER_AGENT": "curl/8"})
    {'address': '192.0.2.1', 'user_agent': 'curl/8'}
    """
    return description({name: environ.get(key) for name, key in _VARIABLES.items()})


def description(texts: cabc.Mapping[str, str | None]) -> dict[str, str]:
    """Return what is kept of a label, an address and a user agent; nothing of those without text.

    :raises ConfigurationError: if one is no text.
    """
    found: dict[str, str] = {}

    for name, text in texts.items():
        if not isinstance(text, str | None):
            raise ConfigurationError(f"{name} must be text, not {type(text).__name__}")

        if text and (cleaned := _cleaned(text)):
            found[name] = cleaned[: LIMITS[name]]

    return found


def recognised(user_agent: str) -> tuple[str | None, str | None]:
    """Return the names of the browser and of the system, as far as they are known.

    >>> recognised("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    ('Firefox', 'Linux')
    """
    shown = user_agent[: LIMITS["user_agent"]]
    return _first(_BROWSERS, shown), _first(_SYSTEMS, shown)


def _first(patterns: cabc.Mapping[str, str], text: str) -> str | None:
    return next((name for pattern, name in patterns.items() if re.search(pattern, text)), None)


def _cleaned(text: str) -> str:
    # Other invisible characters stay: they join letters in Persian and in Hindi, and emoji.
    return "".join(filter(_is_shown, " ".join(text.split())))


def _is_shown(character: str) -> bool:
    return character not in _OVERRIDES and unicodedata.category(character) not in ("Cc", "Cs")
