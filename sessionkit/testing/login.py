"""Logging in the test clients of werkzeug, Flask and Django, without a login page."""

from __future__ import annotations

import sys
import typing as t

from sessionkit.base_manager import BaseManager
from sessionkit.cookie import CookieOptions
from sessionkit.cookie import Set
from sessionkit.session import Session


def login(
    client: t.Any, owner: str | int, /, *, manager: BaseManager | None = None, **values: t.Any
) -> Session:
    """Let the session of a test client have an owner, as after ``session.bind(owner)``.

    It knows nothing of what logs users in on top of that. With Django's ``auth`` call the client's
    own ``force_login``, with Flask-Login pass ``_user_id`` too.

    :param client: a ``werkzeug.test.Client``, the test client of a Flask application with
        ``SessionKit``, or a ``django.test.Client``.
    :param manager: None: that of the client's application, which is found behind other middleware.
    :param values: put into the session too.
    :return: the session, whose commit is over; what a request did later can be read in a new one.
    :raises TypeError: if it is no such client, or its application has no manager.

    >>> from werkzeug.test import Client
    >>> from sessionkit import SessionManager, SessionMiddleware
    >>> from sessionkit.stores.memory import MemoryStore
    >>> def application(environ, start_response):
    ...     start_response("200 OK", [])
    ...     return [environ["sessionkit.session"].owner.encode()]
    >>> client = Client(SessionMiddleware(application, SessionManager(MemoryStore())))
    >>> session = login(client, "alice")
    >>> client.get("/").text
    'alice'
    """
    is_known = hasattr(client, "force_login") or hasattr(client, "get_cookie")

    if not is_known:
        raise TypeError(f"a test client of werkzeug, Flask or Django, not {type(client).__name__}")

    manager = manager or _manager_of(client)
    options = manager.cookie
    jar = (_DjangoJar if hasattr(client, "force_login") else _WerkzeugJar)(client, options)
    value = jar.get()
    session = manager.open(None if value is None else f"{options.name}={value}")
    session.bind(owner)
    session.update(values)
    instruction = manager.commit(session)
    # A bind always has a new cookie.
    assert isinstance(instruction, Set)  # noqa: S101
    jar.set(instruction.value)
    return session


class _WerkzeugJar:
    def __init__(self, client: t.Any, options: CookieOptions) -> None:
        settings: dict[str, t.Any] = getattr(client.application, "config", {})
        # Flask's client sends its requests there.
        host: str = (settings.get("SERVER_NAME") or "localhost").partition(":")[0]
        domain = options.domain.lstrip(".") if options.domain else host
        self._client = client
        self._name = options.name
        self._place = {"domain": domain, "path": options.path}
        self._origin_only = not options.domain

    def get(self) -> str | None:
        cookie = self._client.get_cookie(self._name, **self._place)
        return None if cookie is None else str(cookie.value)

    def set(self, value: str) -> None:
        self._client.set_cookie(self._name, value, origin_only=self._origin_only, **self._place)


class _DjangoJar:
    def __init__(self, client: t.Any, options: CookieOptions) -> None:
        self._cookies = client.cookies
        self._options = options

    def get(self) -> str | None:
        name = self._options.name
        return str(self._cookies[name].value) if name in self._cookies else None

    def set(self, value: str) -> None:
        options = self._options
        self._cookies[options.name] = value
        self._cookies[options.name].update({"path": options.path, "domain": options.domain or ""})


def _manager_of(client: t.Any) -> BaseManager:
    # Whoever has such a client has imported the integration.
    if hasattr(client, "force_login") and "django_sessionkit" in sys.modules:
        return t.cast(BaseManager, sys.modules["django_sessionkit"].get_manager())

    application = getattr(client, "application", None)

    while application is not None:
        extensions: dict[str, t.Any] = getattr(application, "extensions", {})
        found = getattr(application, "manager", None)

        if "sessionkit" in extensions:
            found = extensions["sessionkit"].manager_of(application)

        if isinstance(found, BaseManager):
            return found

        application = getattr(application, "app", None) or getattr(application, "wsgi_app", None)

    raise TypeError("the client's application has no manager of sessions: pass manager=...")
