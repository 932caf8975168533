"""A site on https in a thread of the test, which decides when its slow answer comes."""

from __future__ import annotations

import collections.abc as cabc
import threading
import typing as t

from werkzeug.serving import make_server
from werkzeug.utils import redirect
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit.stores.memory import MemoryStore

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment
    from typing_extensions import Self

COOKIE: t.Final = "__Host-sid"

PAGE: t.Final = """<!doctype html><title>site</title><link rel="icon" href="data:,">
<p id="identity">Logged in as {}</p>
<form method="post"><button formaction="/login">in</button><button formaction="/logout">out</button>
"""


class Site:
    """A context manager: the site is served in its block."""

    def __init__(self) -> None:
        cookie = CookieOptions(name=COOKIE)
        self.manager = SessionManager(MemoryStore(), secrets=["secret"], cookie=cookie)
        application = SessionMiddleware(self._application, self.manager)
        self._server = make_server("127.0.0.1", 0, application, threaded=True, ssl_context="adhoc")
        self.url = f"https://127.0.0.1:{self._server.port}"
        #: Set when a slow request has read the session, and has not written yet.
        self.is_reading = threading.Event()
        #: Set it, and the slow request writes and answers.
        self.may_write = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.may_write.set()
        self._server.shutdown()

    def _application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> cabc.Iterable[bytes]:
        session: Session = environ["sessionkit.session"]
        return self._answer(Request(environ).path, session)(environ, start_response)

    def _answer(self, path: str, session: Session) -> Response:
        if path == "/":
            return Response(PAGE.format(session.owner), mimetype="text/html")

        if path == "/slow":
            return self._slow(session)

        if path == "/login":
            session.bind("alice")
        elif path == "/logout":
            session.destroy()

        return redirect("/", 303)

    def _slow(self, session: Session) -> Response:
        owner = session.owner
        self.is_reading.set()
        assert self.may_write.wait(30)
        session["slow"] = "written"
        return Response(f"done for {owner}")
