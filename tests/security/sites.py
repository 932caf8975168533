"""One small application in raw WSGI, Flask and Django, and a client that attacks it over HTTP."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import http
import typing as t
import urllib.parse

import flask
import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.test import run_wsgi_app

from flask_sessionkit import SessionKit
from sessionkit import SessionMiddleware
from sessionkit.base_manager import BaseManager
from sessionkit.middleware import Headers

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

KINDS = ("wsgi", "flask", "django")

Query = dict[str, str]


class Said(t.NamedTuple):
    """What a view answers if it is more than a text."""

    body: str | cabc.Iterable[bytes]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


#: Gets what the framework calls the session, and the query.
View = cabc.Callable[[t.Any, Query], "str | Said"]


def login(session: t.Any, query: Query) -> str:
    user = query.get("user", "alice")
    session.bind(user)
    session["user"] = user
    return f"hello {user}"


def logout(session: t.Any, query: Query) -> str:
    session.destroy()
    return "bye"


def whoami(session: t.Any, query: Query) -> str:
    return str(session.get("user", "nobody"))


def count(session: t.Any, query: Query) -> str:
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


def increment(session: t.Any, query: Query) -> str:
    return str(session.mutate("count", lambda before: before + 1, 0))


def put(session: t.Any, query: Query) -> str:
    session.update(query)
    return "kept"


def show(session: t.Any, query: Query) -> str:
    return repr(sorted(session.items()))


def renew(session: t.Any, query: Query) -> str:
    session.renew()
    return "renewed"


def clear(session: t.Any, query: Query) -> str:
    session.clear()
    return "cleared"


def notouch(session: t.Any, query: Query) -> str:
    return "the session was not used"


VIEWS: dict[str, View] = {
    "/login": login,
    "/logout": logout,
    "/whoami": whoami,
    "/count": count,
    "/increment": increment,
    "/put": put,
    "/show": show,
    "/renew": renew,
    "/clear": clear,
    "/notouch": notouch,
}


class Site:
    """An application with the views above, and with what a test adds to them."""

    def __init__(self, manager: BaseManager) -> None:
        self.manager = manager
        self.store: t.Any = getattr(manager, "store", None)
        self.views = dict(VIEWS)
        self.wsgi: WSGIApplication = self._wsgi

    def said(self, path: str, session: t.Any, query: Query) -> Said:
        answer = self.views[path](session, query)
        return Said(answer) if isinstance(answer, str) else answer

    def _wsgi(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> cabc.Iterable[bytes]:
        query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
        said = self.said(environ["PATH_INFO"], environ["sessionkit.session"], query)
        status = f"{said.status} {http.HTTPStatus(said.status).phrase}"
        start_response(status, [("Content-Type", "text/html"), *said.headers])
        return [said.body.encode()] if isinstance(said.body, str) else said.body

    def jar(self, **arguments: t.Any) -> Jar:
        """Return a new client without cookies."""
        return Jar(self, **arguments)

    def keys(self) -> list[str]:
        return list(self.store.keys())

    def live(self) -> int:
        """How many records the store holds whose time has not passed."""
        return int(self.store.count(self.manager.clock()))


def wsgi_site(manager: BaseManager) -> Site:
    site = Site(manager)
    site.wsgi = SessionMiddleware(site.wsgi, manager)
    return site


def flask_site(manager: BaseManager) -> Site:
    site = Site(manager)
    app = flask.Flask("attacked")
    SessionKit(app, manager=manager)

    @app.route("/<path:path>", methods=["GET", "POST", "HEAD"])
    def view(path: str) -> flask.Response:
        said = site.said(f"/{path}", flask.session, dict(flask.request.args.items()))
        response = flask.Response(said.body, said.status, mimetype="text/html")
        response.headers.extend(said.headers)
        return response

    site.wsgi = app
    return site


class _Urls:
    def __init__(self, site: Site) -> None:
        from django.http import HttpResponse
        from django.http import StreamingHttpResponse
        from django.urls import re_path

        def view(request: t.Any) -> t.Any:
            said = site.said(request.path, request.session, request.GET.dict())
            make: t.Any = HttpResponse if isinstance(said.body, str) else StreamingHttpResponse
            response = make(said.body, status=said.status)
            for name, value in said.headers:
                response[name] = value
            return response

        self.urlpatterns = [re_path(".*", view)]


@contextlib.contextmanager
def django_settings(**settings: t.Any) -> cabc.Iterator[None]:
    """Let Django have these settings and the engine."""
    import django
    from django.conf import settings as configured
    from django.test.utils import override_settings

    if not configured.configured:
        configured.configure(SECRET_KEY="a secret of the tests")
        django.setup()

    given = {
        "ALLOWED_HOSTS": ["*"],
        "SESSION_ENGINE": "django_sessionkit.engine",
        "MIDDLEWARE": ["django_sessionkit.middleware.SessionMiddleware"],
        "SESSIONKIT": {"STORE": "memory:"},
    }

    with override_settings(**{**given, **settings}):
        yield


@contextlib.contextmanager
def django_site(manager: BaseManager, **settings: t.Any) -> cabc.Iterator[Site]:
    site = Site(manager)

    with django_settings(
        SESSION_COOKIE_NAME=manager.cookie.name, ROOT_URLCONF=_Urls(site), **settings
    ):
        from django.core.handlers.wsgi import WSGIHandler

        from django_sessionkit import registry

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry, "_manager", manager)
            site.wsgi = t.cast(t.Any, WSGIHandler())
            yield site


@contextlib.contextmanager
def site_of(kind: str, manager: BaseManager) -> cabc.Iterator[Site]:
    """Serve the application in one of the three ways while the context lasts."""
    if kind == "django":
        with django_site(manager) as site:
            yield site
    else:
        yield wsgi_site(manager) if kind == "wsgi" else flask_site(manager)


class Answer(t.NamedTuple):
    status: int
    headers: Headers
    body: str

    def all(self, name: str) -> list[str]:
        # Django writes a space before the names of cookies.
        return [value.strip() for key, value in self.headers if key.lower() == name.lower()]

    @property
    def set_cookie(self) -> str | None:
        """The only ``Set-Cookie`` header, if there is one."""
        cookies = self.all("Set-Cookie")
        assert len(cookies) <= 1
        return cookies[0] if cookies else None


class Jar:
    """A browser: one host's cookies, and requests with them or with others.

    :ivar cookies: values by name.
    """

    def __init__(
        self, site: Site, cookies: cabc.Mapping[str, str] | None = None, scheme: str = "http"
    ) -> None:
        self.site = site
        self.cookies = dict(cookies or {})
        self.scheme = scheme

    @property
    def name(self) -> str:
        return self.site.manager.cookie.name

    @property
    def value(self) -> str | None:
        """The session cookie."""
        return self.cookies.get(self.name)

    def copy(self) -> Jar:
        """Steal the cookies."""
        return Jar(self.site, self.cookies, self.scheme)

    def get(self, path: str, query: Query | None = None, **extra: t.Any) -> Answer:
        """Make a request; *extra* goes into the environ, in place of what would be there."""
        builder = EnvironBuilder(
            path, base_url=f"{self.scheme}://localhost", query_string=query or {}
        )
        environ = builder.get_environ()
        builder.close()

        if self.cookies:
            environ["HTTP_COOKIE"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())

        environ.update(extra)
        body, status, headers = run_wsgi_app(self.site.wsgi, environ, buffered=True)
        answer = Answer(
            int(status.split()[0]), headers.to_wsgi_list(), b"".join(body).decode("latin-1")
        )
        self._keep(answer)
        return answer

    def send(self, cookie: str, path: str = "/whoami", query: Query | None = None) -> Answer:
        """Make a request with this Cookie header; keep nothing."""
        return self.copy().get(path, query, HTTP_COOKIE=cookie)

    def _keep(self, answer: Answer) -> None:
        for header in answer.all("Set-Cookie"):
            pair, *attributes = header.split(";")
            name, _, value = pair.partition("=")

            if any(attribute.strip().lower() == "max-age=0" for attribute in attributes):
                self.cookies.pop(name.strip(), None)
            else:
                self.cookies[name.strip()] = value.strip()
