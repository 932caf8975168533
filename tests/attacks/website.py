"""A small web site on sessions, and its visitors: what the attacks look at from the outside."""

from __future__ import annotations

import collections.abc as cabc
import io
import os
import time
import typing as t

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit.store import Store

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

#: Whether there is a night's time; the attacks are the same, with larger numbers.
SOAK: t.Final = os.environ.get("SESSIONKIT_SOAK", "0") not in ("", "0")

#: Seconds until a recovery must have shown.
PATIENCE: t.Final = 15.0

Action = cabc.Callable[[Session], object]


def _login(session: Session) -> str:
    session.bind("alice")
    session["user"] = "alice"
    return "logged in"


def _write(session: Session) -> str:
    # Too large for what may be left in a file that cannot grow.
    session["written"] = os.urandom(20_000)
    return "written"


def _state(session: Session) -> str:
    return f"{session.state}, {len(session)} keys, available {session.available}"


ACTIONS: dict[str, Action] = {
    "/untouched": lambda _: "untouched",
    "/read": lambda session: session.get("user", "nobody"),
    "/state": _state,
    "/write": _write,
    "/login": _login,
    "/renew": lambda session: session.renew(),
    "/save": lambda session: session.save(),
    "/mutate": lambda session: session.mutate("visits", lambda visits: visits + 1, 0),
    "/logout": lambda session: session.destroy(),
}


class Answer(t.NamedTuple):
    """What a visitor gets."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def sets_cookie(self) -> bool:
        return "Set-Cookie" in self.headers

    @property
    def deletes_cookie(self) -> bool:
        return self.headers.get("Set-Cookie", "").startswith("sid=; Path=/; Max-Age=0")


class Website:
    """The site on one store. What a visitor may ask for is in ``ACTIONS``."""

    def __init__(self, store: Store, **policy: t.Any) -> None:
        settings = {"breaker_pause": 0.5, **policy}
        self.manager = SessionManager(store, policy=SessionPolicy(**settings))
        self.application = SessionMiddleware(self._answer, self.manager)

    def _answer(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> cabc.Iterable[bytes]:
        text = str(ACTIONS[environ["PATH_INFO"]](environ["sessionkit.session"]))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [text.encode()]

    def visitor(self, *, user: str | None = None) -> Visitor:
        """Return a new visitor; with a *user*, one who has logged in."""
        visitor = Visitor(self.application)

        if user is not None:
            assert visitor.post("/login").status == 200
            assert visitor.get("/read").text == user

        return visitor


class Visitor:
    """A browser: keeps the one cookie that it is sent."""

    def __init__(self, application: SessionMiddleware) -> None:
        self.application = application
        self.cookie: str | None = None

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str) -> Answer:
        return self._ask("POST", path)

    def _ask(self, method: str, path: str) -> Answer:
        environ = environ_of(method, path, self.cookie)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None, /
        ) -> cabc.Callable[[bytes], object]:
            started.append((status, headers))
            return lambda data: None

        body = b"".join(self.application(environ, start_response))
        ((status, headers),) = started
        answer = Answer(int(status[:3]), dict(headers), body.decode())

        if answer.sets_cookie:
            pair = answer.headers["Set-Cookie"].partition(";")[0]
            self.cookie = None if answer.deletes_cookie else pair

        return answer


def environ_of(method: str, path: str, cookie: str | None) -> WSGIEnvironment:
    """Return what a server would call the application with."""
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }

    if cookie is not None:
        environ["HTTP_COOKIE"] = cookie

    return environ


def until(condition: cabc.Callable[[], object]) -> None:
    """Wait for what must become true by itself."""
    give_up = time.monotonic() + PATIENCE

    while not condition():
        assert time.monotonic() < give_up, "it did not recover"
        time.sleep(0.02)
