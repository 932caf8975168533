"""From an application's settings to its session manager."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import dataclasses
import datetime
import typing as t
from dataclasses import fields
from pathlib import Path

from sessionkit.base_manager import BaseManager
from sessionkit.cookie import CookieOptions
from sessionkit.errors import ConfigurationError
from sessionkit.id_header import IdHeader
from sessionkit.manager import SessionManager
from sessionkit.policy import SessionPolicy
from sessionkit.policy import seconds
from sessionkit.sealed import SealedSessionManager
from sessionkit.sealed import encrypted_by
from sessionkit.stores import open_store
from sessionkit.trace import checked_trace

if t.TYPE_CHECKING:
    import flask
    from flask.sessions import SessionInterface

    from sessionkit.store import Store

_PREFIX = "SESSIONKIT_"
_NAMES = ("STORE", "SECRETS", "POLICY", "COOKIE", "HEADER", "TYPES", "TRACE")
# What is heeded although a manager was given.
_ALWAYS: t.Final = ("REMEMBER_DEVICES",)

#: Flask's own settings for the cookie.
_FLASK_NAMES: t.Final = {
    **{field.name: f"SESSION_COOKIE_{field.name.upper()}" for field in fields(CookieOptions)},
    "path": "SESSION_COOKIE_PATH or APPLICATION_ROOT",
}

#: Where Flask keeps its flash messages.
QUEUES: t.Final = ("_flashes",)

#: Where Flask-WTF keeps its CSRF token.
FORM_TOKENS: t.Final = ("csrf_token",)


def flask_policy(**settings: t.Any) -> SessionPolicy:
    """Return a policy that suits Flask, for a manager that is made by hand.

    The cookie ends with the browser unless ``session.permanent`` is set; sessions live equally
    long with and without an owner, since an application's own login is not known to us; parallel
    ``flash()`` are all kept; a form that was sent twice passes Flask-WTF's check.

    :param settings: those of :class:`~sessionkit.SessionPolicy`, in place of these.
    :raises ConfigurationError: if there is no such setting, or its value makes no sense.

    >>> flask_policy(idle_timeout=3600).transient
    True
    """
    _check_names(settings, SessionPolicy)
    defaults: dict[str, t.Any] = {
        "transient": True,
        "ownerless_timeout": None,
        "queues": QUEUES,
        "form_tokens": FORM_TOKENS,
    }
    policy = SessionPolicy(**{**defaults, **settings})
    idle = seconds(policy.idle_timeout, "idle_timeout")
    absolute = seconds(policy.absolute_timeout, "absolute_timeout")

    if "absolute_timeout" in settings or idle is None or absolute is None or idle <= absolute:
        return policy

    return dataclasses.replace(policy, absolute_timeout=idle)


def make_manager(app: flask.Flask, interface: SessionInterface) -> BaseManager:
    """Make a manager from the settings of *app*.

    :param interface: asked for the attributes of the cookie.
    :raises ConfigurationError: naming the setting that is wrong.
    """
    _check_own_names(app)
    config = app.config

    with _naming("SESSIONKIT_POLICY"):
        policy = _policy(config.get("SESSIONKIT_POLICY"), app)

    with _naming("SESSIONKIT_COOKIE"):
        cookie = _cookie(config.get("SESSIONKIT_COOKIE"), app, interface)

    secrets: t.Any = config.get("SESSIONKIT_SECRETS")
    types = config.get("SESSIONKIT_TYPES") or ()

    header = config.get("SESSIONKIT_HEADER")

    with _naming("SESSIONKIT_HEADER"):
        _ = None if header is None else IdHeader(header)

    with _naming("SESSIONKIT_TRACE"):
        given = checked_trace(config.get("SESSIONKIT_TRACE"))
        trace = given if app.debug else None

    with _naming("SESSIONKIT_STORE"):
        encrypted = encrypted_by(config.get("SESSIONKIT_STORE"))

    if encrypted is not None:
        with _naming("SESSIONKIT_SECRETS or SESSIONKIT_TYPES"):
            return SealedSessionManager(
                secrets,
                encrypted=encrypted,
                policy=policy,
                cookie=cookie,
                header=header,
                types=types,
                trace=trace,
            )

    with _naming("SESSIONKIT_STORE"):
        store = _store(config.get("SESSIONKIT_STORE"), app)

    with _naming("SESSIONKIT_STORE, SESSIONKIT_SECRETS or SESSIONKIT_TYPES"):
        return SessionManager(
            store,
            secrets=secrets,
            policy=policy,
            cookie=cookie,
            header=header,
            types=types,
            trace=trace,
        )


def refuse_settings(app: flask.Flask) -> None:
    """Raise ``ConfigurationError`` if *app* has settings though it was given a manager."""
    _check_own_names(app)
    names = [_PREFIX + name for name in _NAMES if app.config.get(_PREFIX + name) is not None]

    if names:
        raise ConfigurationError(
            f"{', '.join(names)}: SessionKit was given a manager, so these would have no effect"
        )


def _check_own_names(app: flask.Flask) -> None:
    names = [name for name in app.config if str(name).startswith(_PREFIX)]

    for name in names:
        if name.removeprefix(_PREFIX) not in (*_NAMES, *_ALWAYS):
            known = ", ".join(_PREFIX + known for known in (*_NAMES, *_ALWAYS))
            raise ConfigurationError(f"{name} is no setting; known are {known}")

    if not isinstance(app.config.get("SESSIONKIT_REMEMBER_DEVICES"), bool | None):
        raise ConfigurationError("SESSIONKIT_REMEMBER_DEVICES must be True or False")


def _check_names(
    settings: cabc.Mapping[t.Any, t.Any], kind: type[SessionPolicy | CookieOptions]
) -> None:
    known = [field.name for field in fields(kind)]

    for name in settings:
        if name not in known:
            raise ConfigurationError(f"there is no {name!r}; known are {', '.join(known)}")


@contextlib.contextmanager
def _naming(setting: str) -> cabc.Generator[None, None, None]:
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{setting}: {error}") from error


def _policy(given: t.Any, app: flask.Flask) -> SessionPolicy:
    field = app.config.get("WTF_CSRF_FIELD_NAME") or FORM_TOKENS[0]

    if not isinstance(field, str):
        raise ConfigurationError(f"WTF_CSRF_FIELD_NAME must be text, not {type(field).__name__}")

    tokens = tuple({*FORM_TOKENS, field})

    if isinstance(given, SessionPolicy):
        return dataclasses.replace(
            given,
            queues=tuple({*given.queues, *QUEUES}),
            form_tokens=tuple({*given.form_tokens, *tokens}),
        )

    if not isinstance(given, cabc.Mapping | None):
        raise ConfigurationError(f"must be a dict or a SessionPolicy, not {type(given).__name__}")

    settings: dict[str, t.Any] = dict(given or {})
    _check_names(settings, SessionPolicy)
    settings.setdefault("idle_timeout", seconds(_lifetime(app), "PERMANENT_SESSION_LIFETIME"))
    settings.setdefault("form_tokens", tokens)
    return flask_policy(**settings)


def _lifetime(app: flask.Flask) -> datetime.timedelta:
    try:
        return app.permanent_session_lifetime
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(f"PERMANENT_SESSION_LIFETIME: {error}") from error


def _cookie(given: t.Any, app: flask.Flask, interface: SessionInterface) -> CookieOptions:
    if isinstance(given, CookieOptions):
        return given

    if not isinstance(given, cabc.Mapping | None):
        raise ConfigurationError(f"must be a dict or CookieOptions, not {type(given).__name__}")

    # None and False are Flask's defaults, which nobody has chosen: ours take their place.
    domain = interface.get_cookie_domain(app)
    samesite = interface.get_cookie_samesite(app)
    options: dict[str, t.Any] = {
        "name": interface.get_cookie_name(app),
        "path": interface.get_cookie_path(app),
        "domain": domain.lstrip(".") if isinstance(domain, str) else domain or None,
        "secure": bool(interface.get_cookie_secure(app)) or "auto",
        "httponly": bool(interface.get_cookie_httponly(app)),
        "samesite": samesite.title() if isinstance(samesite, str) else samesite or "Lax",
        "partitioned": bool(interface.get_cookie_partitioned(app)),
        **(given or {}),
    }
    _check_names(options, CookieOptions)

    for option, value in options.items():
        with _naming(repr(option) if given and option in given else _FLASK_NAMES[option]):
            CookieOptions(**{option: value})

    return CookieOptions(**options)


def _store(given: t.Any, app: flask.Flask) -> Store:
    if isinstance(given, str):
        return open_store(given)

    return _default_store(app) if given is None else given


def _default_store(app: flask.Flask) -> Store:
    from sessionkit.stores.sqlite import SQLiteStore

    folder = Path(app.instance_path)

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"it is not set, and the default, a file in the instance folder, fails: {error}"
        ) from error

    return SQLiteStore(folder / "sessions.sqlite3")
