"""What the integration adds to a request: counted in calls, since times vary."""

from __future__ import annotations

import collections.abc as cabc
import sys
import types

import flask
import pytest
import werkzeug

import flask_sessionkit
from flask_sessionkit import session

OURS = flask_sessionkit.__path__[0]
WERKZEUG = werkzeug.__path__[0]


class Calls:
    """Counts the functions of the integration that are entered, and those of Werkzeug in them."""

    def __init__(self) -> None:
        self.ours = 0
        self.of_werkzeug = 0
        self._stack: list[bool] = []

    def during(self, step: cabc.Callable[[], object]) -> None:
        sys.setprofile(self._note)

        try:
            step()
        finally:
            sys.setprofile(None)

    def _note(self, frame: types.FrameType, event: str, _: object) -> None:
        if event == "call":
            path = frame.f_code.co_filename
            is_ours = path.startswith(OURS)
            self.ours += is_ours
            self.of_werkzeug += path.startswith(WERKZEUG) and any(self._stack)
            self._stack.append(is_ours)
        elif event == "return" and self._stack:
            self._stack.pop()


@pytest.mark.parametrize(("path", "werkzeugs"), [("/untouched", 3), ("/read", 7)])
def test_a_request_passes_few_functions(app: flask.Flask, path: str, werkzeugs: int) -> None:
    @app.get("/untouched")
    def untouched() -> str:
        return ""

    @app.get("/read")
    def read() -> str:
        return str(session.get("user"))

    client = app.test_client()

    with client.session_transaction() as opened:
        opened["user"] = "ada"

    client.get(path)

    calls = Calls()
    calls.during(lambda: client.get(path))

    # Flask asks for a session, whether it is none, to save it, and at the end; then the headers.
    assert calls.ours <= 6
    # The request, its status, once over all headers, and two calls for each that is added.
    assert calls.of_werkzeug <= werkzeugs
