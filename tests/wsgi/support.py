"""A server in one function: calls a WSGI application as PEP 3333 says, and shows what it did."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import io
import typing as t
import warnings
from wsgiref.util import setup_testing_defaults

from sessionkit import Session
from tests.core.support import View

Headers = list[tuple[str, str]]
App = cabc.Callable[[dict[str, t.Any], t.Any], cabc.Iterable[bytes]]


def new_environ(
    cookie: str | None = None, *, https: bool = False, **values: str
) -> dict[str, t.Any]:
    """Return the environ of a request; *values* replace what is in it."""
    environ: dict[str, t.Any] = {
        "QUERY_STRING": "",
        "wsgi.url_scheme": "https" if https else "http",
    }
    setup_testing_defaults(environ)
    environ["SCRIPT_NAME"] = ""
    environ["wsgi.input"] = io.BytesIO()
    environ["wsgi.errors"] = io.StringIO()

    if cookie is not None:
        environ["HTTP_COOKIE"] = cookie

    environ.update(values)
    return environ


@dataclasses.dataclass
class Reply:
    """What a client gets."""

    status: str = ""
    headers: Headers = dataclasses.field(default_factory=list)
    body: bytes = b""
    #: The calls of ``start_response``: status, and whether there was an ``exc_info``.
    starts: list[tuple[str, bool]] = dataclasses.field(default_factory=list)
    #: What the application returned to the server.
    iterable: cabc.Iterable[bytes] | None = None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, values
        return values[0] if values else None

    @property
    def cookie(self) -> str | None:
        """Our cookie, which is added last, as the browser sends it back."""
        headers = self.all("Set-Cookie")
        return headers[-1].split(";")[0] if headers else None


class Server:
    """One request. Sends the headers with the first byte of the body, as servers do."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.sent = False

    def start_response(
        self, status: str, headers: Headers, exc_info: t.Any = None, /
    ) -> cabc.Callable[[bytes], None]:
        assert type(status) is str
        assert type(headers) is list
        self.reply.starts.append((status, exc_info is not None))

        if exc_info is not None and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])

        assert exc_info is not None or not self.reply.status, "start_response was called twice"
        self.reply.status, self.reply.headers = status, headers
        return self.write

    def write(self, data: bytes) -> None:
        assert self.reply.status, "start_response was not called"
        self.sent = self.sent or bool(data)
        self.reply.body += data

    def run(self, app: App, environ: dict[str, t.Any]) -> Reply:
        iterable = self.reply.iterable = app(environ, self.start_response)

        try:
            for data in iterable:
                self.write(data)

            assert self.reply.status, "start_response was not called"
        finally:
            close = getattr(iterable, "close", None)

            if close is not None:
                close()

        return self.reply


def call(app: t.Any, cookie: str | None = None, *, https: bool = False, **values: str) -> Reply:
    """Make one request."""
    return Server().run(app, new_environ(cookie, https=https, **values))


class Client:
    """Makes requests and keeps the cookie."""

    def __init__(self, app: t.Any, cookie: str | None = None) -> None:
        self.app = app
        self.cookie = cookie

    def get(self, path: str = "/", *, https: bool = False, **values: str) -> Reply:
        reply = call(self.app, self.cookie, https=https, PATH_INFO=path, **values)

        if reply.cookie is not None:
            self.cookie = None if reply.cookie.endswith("=") else reply.cookie

        return reply


class Body:
    """A body that counts how often it is closed."""

    def __init__(self, *items: bytes) -> None:
        self.items = iter(items)
        self.closed = 0

    def __iter__(self) -> cabc.Iterator[bytes]:
        return self.items

    def close(self) -> None:
        self.closed += 1


def webtest_lint(app: t.Any) -> t.Any:
    """Return *app* behind WebTest's linter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the cgi module
        from webtest import lint

    return lint.middleware(app)


def serving(view: View, *headers: tuple[str, str], status: str = "200 OK") -> App:
    """An application that hands its session to *view*."""

    def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
        result = view(environ["sessionkit.session"])
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return [str(result).encode()]

    return app


def write(session: Session) -> object:
    session["n"] = session.get("n", 0) + 1
    return session["n"]


def raising(error: BaseException, view: View = lambda session: None) -> View:
    def raise_(session: Session) -> None:
        view(session)
        raise error

    return raise_


def generator_of(app: App) -> App:
    """The same application as a generator."""

    def late(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
        yield from app(environ, start_response)

    return late
