"""What the harness needs of an implementation: an application, and browsers with sessions."""

from __future__ import annotations

import collections.abc as cabc
import io
import sys
import typing as t

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Environ = dict[str, t.Any]
Headers = list[tuple[str, str]]


class Places(t.NamedTuple):
    """Where the stores of one implementation are; a folder of its own, and servers for all."""

    folder: str
    redis: str
    memcached: str
    postgres: str

    def port(self, name: str) -> int:
        """Return the port of one of the servers."""
        return int(getattr(self, name).rpartition(":")[2].partition("/")[0])


class Site:
    """An application whose paths are the scenarios.

    :param app: the application.
    :param note: what it does less, or otherwise, than others.
    """

    def __init__(self, app: WSGIApplication, note: str = "") -> None:
        self.app = app
        self.note = note

    def roll(self, rolling: bool) -> None:
        """Prolong sessions that are read from now on, or no longer."""

    def newcomer(self) -> str | None:
        """Return the cookie of a browser that has no session."""
        return None

    def browser(self, kind: str) -> str:
        """Return the cookie of a browser with a new session."""
        answer = Answer()
        environ = make_environ("/create-large" if kind == "large" else "/create", self.newcomer())
        answer.run(self.app, environ)
        if not answer.status.startswith("200"):
            raise RuntimeError(f"the session was not created: {answer.status}")
        return answer.cookie


class Answer:
    """Calls an application as a server does, and keeps the head of its answer."""

    status = ""
    headers: cabc.Sequence[tuple[str, str]] = ()

    def start(self, status: str, headers: Headers, exc_info: t.Any = None, /) -> t.Any:
        if exc_info:
            raise exc_info[1]
        self.status, self.headers = status, headers

    def run(self, app: WSGIApplication, environ: Environ) -> bytes:
        body = app(environ, self.start)
        try:
            return b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()

    @property
    def cookie(self) -> str:
        set_cookies = [value for name, value in self.headers if name.lower() == "set-cookie"]
        return set_cookies[-1].partition(";")[0]


def make_environ(path: str, cookie: str | None) -> Environ:
    """Return the environ of a browser's request, fresh, since applications add to it."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8",
        "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
        "benchmark.cookie": cookie,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if cookie is not None:
        # Beside other cookies, as on most sites.
        environ["HTTP_COOKIE"] = f"_ga=GA1.1.1234567890.1700000000; {cookie}; theme=dark"
    return environ
