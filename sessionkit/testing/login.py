"""Logging in the test clients of werkzeug, Flask and Django, without a login page."""

from __future__ import annotations

import sys
import typing as t

from sessionkit.base_manager import BaseManager
from sessionkit.cookie import Set
from sessionkit.session import Session


def login(
    client: t.Any, owner: str | int, /, *, manager: BaseManager | None = None, **values: t.Any
) -> Session:
    """Let the session of a test client have an owner, as after ``session.bind(owner)``.

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
    jar = _jar_of(client)
    manager = manager or _manager_of(client)
    name = manager.cookie.name
    value = jar.get(name)
    session = manager.open(None if value is None else f"{name}={value}")
    session.bind(owner)
    session.update(values)
    instruction = manager.commit(session)
    # A bind always has a new cookie.
    assert isinstance(instruction, Set)  # noqa: S101
    jar.set(manager, instruction.value)
    return session


class _WerkzeugJar:
    def __init__(self, client: t.Any) -> None:
        self._client = client

    def get(self, name: str) -> str | None:
        cookie = self._client.get_cookie(name)
        return None if cookie is None else str(cookie.value)

    def set(self, manager: BaseManager, value: str) -> None:
        options = manager.cookie
        self._client.set_cookie(
            options.name, value, domain=options.domain or "localhost", path=options.path
        )


class _DjangoJar:
    def __init__(self, client: t.Any) -> None:
        self._cookies = client.cookies

    def get(self, name: str) -> str | None:
        return self._cookies[name].value if name in self._cookies else None

    def set(self, manager: BaseManager, value: str) -> None:
        options = manager.cookie
        self._cookies[options.name] = value
        self._cookies[options.name].update({"path": options.path, "domain": options.domain or ""})


def _jar_of(client: t.Any) -> _WerkzeugJar | _DjangoJar:
    if hasattr(client, "force_login"):
        return _DjangoJar(client)

    if hasattr(client, "get_cookie"):
        return _WerkzeugJar(client)

    raise TypeError(f"a test client of werkzeug, Flask or Django, not {type(client).__name__}")


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
