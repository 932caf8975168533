"""From Django's settings to the parts of a :class:`~sessionkit.SessionManager`. Opens nothing.

``SESSIONKIT`` may hold ``STORE``, ``SECRETS``, ``POLICY``, ``COOKIE``, ``HEADER``, ``TYPES``,
``TRACE`` and ``REMEMBER_DEVICES``. Where Django has a setting of its own, that one is read;
``POLICY`` and ``COOKIE`` win over it.
"""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import functools
import os
import pathlib
import typing as t

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.middleware.csrf import CSRF_SESSION_KEY
from django.utils.module_loading import import_string

from sessionkit import CookieOptions
from sessionkit import SessionPolicy
from sessionkit import keys
from sessionkit.codec import Codec
from sessionkit.errors import ConfigurationError
from sessionkit.id_header import IdHeader
from sessionkit.sealed import encrypted_by
from sessionkit.tokens import Signer
from sessionkit.trace import Trace
from sessionkit.trace import checked_trace

from .store_url import StoreURL

SECTIONS: t.Final = (
    "STORE",
    "SECRETS",
    "POLICY",
    "COOKIE",
    "HEADER",
    "TYPES",
    "TRACE",
    "REMEMBER_DEVICES",
)
#: The file beside the project, if no store is configured.
DEFAULT_FILE: t.Final = "sessionkit.sqlite3"

_90_DAYS: t.Final = 90 * 24 * 60 * 60

T = t.TypeVar("T")


class SettingsError(ConfigurationError, ImproperlyConfigured):
    """A setting is wrong; the text names it and never holds its value."""


def section(name: str) -> t.Any:
    """Return one part of ``SESSIONKIT``, or None if it is not there."""
    given = getattr(settings, "SESSIONKIT", {})

    if not isinstance(given, cabc.Mapping):
        raise SettingsError("SESSIONKIT must be a dictionary")

    if unknown := sorted(str(key) for key in given.keys() - set(SECTIONS)):
        raise SettingsError(f"SESSIONKIT has no {', '.join(unknown)}; it has {', '.join(SECTIONS)}")

    return given.get(name)


def policy() -> SessionPolicy:
    """Return the limits: Django's settings, and ``POLICY`` over them."""
    age = settings.SESSION_COOKIE_AGE

    if isinstance(age, bool) or not isinstance(age, int | float):
        raise SettingsError("SESSION_COOKIE_AGE must be a number of seconds")

    return _made(
        SessionPolicy,
        "POLICY",
        {
            "idle_timeout": age,
            "absolute_timeout": max(age, _90_DAYS),
            "ownerless_timeout": None,
            "transient": settings.SESSION_EXPIRE_AT_BROWSER_CLOSE,
            "form_tokens": (CSRF_SESSION_KEY,),
        },
    )


def cookie() -> CookieOptions:
    """Return the cookie's attributes: Django's settings, and ``COOKIE`` over them."""
    given = section("COOKIE")
    name = settings.SESSION_COOKIE_NAME
    renamed = given.name != name if isinstance(given, CookieOptions) else _has(given, "name")

    if renamed:
        raise SettingsError(
            "SESSIONKIT['COOKIE'] cannot rename the cookie; set SESSION_COOKIE_NAME, which Django "
            "and its test client read too"
        )

    return _made(
        CookieOptions,
        "COOKIE",
        {
            "name": name,
            "path": settings.SESSION_COOKIE_PATH,
            "domain": settings.SESSION_COOKIE_DOMAIN or None,
            # False is Django's default, and cannot be told from a choice.
            "secure": True if settings.SESSION_COOKIE_SECURE else "auto",
            "httponly": bool(settings.SESSION_COOKIE_HTTPONLY),
            "samesite": settings.SESSION_COOKIE_SAMESITE or None,
        },
    )


@functools.cache
def saves_every_request() -> bool:
    """Say whether each request writes its session, used or not. Asked in each request."""
    return bool(settings.SESSION_SAVE_EVERY_REQUEST)


def header() -> str | None:
    """Return the header in which clients of an API send ids; None: they do not."""
    given = section("HEADER")

    if given is not None:
        _accepted("HEADER", lambda: IdHeader(given))

    return t.cast("str | None", given)


def _has(given: object, key: str) -> bool:
    return isinstance(given, cabc.Mapping) and key in given


def _made(kind: type[T], name: str, defaults: dict[str, t.Any]) -> T:
    given = section(name)

    if isinstance(given, kind):
        return given

    if not isinstance(given, cabc.Mapping | None):
        raise SettingsError(f"SESSIONKIT[{name!r}] must be a dictionary or a {kind.__name__}")

    known = [field.name for field in dataclasses.fields(t.cast(t.Any, kind))]

    if unknown := [str(key) for key in given or () if key not in known]:
        raise SettingsError(
            f"SESSIONKIT[{name!r}] has no {', '.join(unknown)}; it has {', '.join(known)}"
        )

    try:
        return kind(**{**defaults, **(given or {})})
    except ConfigurationError as error:
        raise SettingsError(
            f"SESSIONKIT[{name!r}], or the SESSION_ setting in its place: {error}"
        ) from error


def secrets() -> list[str | bytes] | None:
    """Return what cookies are signed with, newest first; None: they are not."""
    given = section("SECRETS")

    if given is not None:
        _accepted("SECRETS", lambda: Signer(given, settings.SESSION_COOKIE_NAME))

    return None if given is None else list(given)


def strong_secrets() -> list[str | bytes]:
    """Return what cookies with all of the data are sealed with, newest first."""
    given = secrets() or []
    _accepted("SECRETS", lambda: keys.strong_secrets(given))
    return given


def types() -> list[t.Any]:
    """Return the types that values may be of, importing those given by their dotted path."""
    given = section("TYPES") or ()

    if not isinstance(given, cabc.Iterable) or isinstance(given, str):
        raise SettingsError("SESSIONKIT['TYPES'] must be a list")

    kinds = [_imported(kind, "TYPES") if isinstance(kind, str) else kind for kind in given]
    _accepted("TYPES", lambda: Codec(kinds))
    return kinds


def trace() -> Trace:
    """Return who gets a line for each request; nobody does without ``DEBUG``.

    The line is made at the commit, which only the middleware of this package makes.
    """
    given = section("TRACE")
    _accepted("TRACE", lambda: checked_trace(given))
    return checked_trace(given) if settings.DEBUG else None


def remember_devices() -> bool:
    """Say whether a login puts the address and the user agent into the session's metadata."""
    given = section("REMEMBER_DEVICES")

    if not isinstance(given, bool | None):
        raise SettingsError("SESSIONKIT['REMEMBER_DEVICES'] must be True or False")

    return bool(given)


def _accepted(name: str, use: cabc.Callable[[], object]) -> None:
    try:
        use()
    except ConfigurationError as error:
        raise SettingsError(f"SESSIONKIT[{name!r}]: {error}") from error


def encrypted() -> bool | None:
    """Say whether sessions are in their cookies, encrypted or signed; None: they are in a store."""
    given = section("STORE")
    _accepted("STORE", lambda: encrypted_by(given))
    return encrypted_by(given)


def store() -> t.Any:
    """Return what makes the store: a URL, a callable, or the store itself."""
    given = section("STORE")

    if isinstance(given, cabc.Mapping):
        given = _from_environment(given)
    elif given is None:
        given = f"sqlite:///{_quoted(_base_dir() / DEFAULT_FILE)}"
    elif isinstance(given, str) and ":" not in given:
        given = _imported(given, "STORE")

    if isinstance(given, str):
        return StoreURL(given)

    if not callable(given) and not callable(getattr(given, "swap", None)):
        raise SettingsError("SESSIONKIT['STORE'] must be a URL, a callable or a store")

    return given


def _from_environment(given: cabc.Mapping[str, t.Any]) -> str:
    if list(given) != ["env"]:
        raise SettingsError("SESSIONKIT['STORE'] as a dictionary must be {'env': 'NAME'}")

    name = given["env"]

    if not isinstance(name, str):
        raise SettingsError("SESSIONKIT['STORE']: the name of a variable must be text")

    if not (url := os.environ.get(name)):
        raise SettingsError(f"SESSIONKIT['STORE']: the environment variable {name} is not set")

    return url


def _base_dir() -> pathlib.Path:
    base = getattr(settings, "BASE_DIR", None)

    if base is None:
        raise SettingsError(
            "set SESSIONKIT = {'STORE': url}, or BASE_DIR, the folder of the default store"
        )

    return pathlib.Path(base).absolute()


def _quoted(path: pathlib.Path) -> str:
    return "".join(f"%{ord(char):02X}" if char in "%?#" else char for char in str(path))


def _imported(path: str, name: str) -> t.Any:
    try:
        return import_string(path)
    except (ImportError, TypeError, ValueError) as error:
        raise SettingsError(
            f"SESSIONKIT[{name!r}]: {path!r} cannot be imported ({error})"
        ) from error
