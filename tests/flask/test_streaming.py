"""Bodies that are sent piece by piece."""

from __future__ import annotations

import collections.abc as cabc

import flask
import pytest

from flask_sessionkit import session
from sessionkit.errors import SessionCommitted


def test_reads_after_the_response(app: flask.Flask) -> None:
    @app.get("/")
    def write() -> str:
        session["x"] = 1
        flask.flash("message")
        return ""

    with app.test_client() as client:
        client.get("/")
        assert session["x"] == 1
        assert session.modified
        assert flask.get_flashed_messages() == ["message"]

        with pytest.raises(SessionCommitted):
            session["x"] = 2

    with client.session_transaction() as opened:
        assert opened["x"] == 1


def test_streaming(app: flask.Flask) -> None:
    errors: list[Exception] = []

    @app.get("/")
    def stream() -> flask.Response:
        session["before"] = 1

        def body() -> cabc.Iterator[str]:
            yield str(session["before"])

            try:
                session["inside"] = 1
            except SessionCommitted as error:
                errors.append(error)

        return flask.Response(flask.stream_with_context(body()))

    client = app.test_client()
    assert client.get("/").text == "1"
    assert len(errors) == 1

    with client.session_transaction() as opened:
        assert set(opened) == {"before"}


def test_a_page_that_first_reads_while_it_is_sent_is_not_for_everybody(app: flask.Flask) -> None:
    @app.get("/")
    def stream() -> flask.Response:
        body = (str(session.get("name", "nobody")) for _ in range(1))
        return flask.Response(flask.stream_with_context(body))

    @app.get("/file")
    def file() -> flask.Response:
        return flask.send_file(__file__)

    client = app.test_client()
    assert client.get("/").headers["Vary"] == "Cookie"

    with client.get("/file") as answer:
        assert "Vary" not in answer.headers


def test_a_first_write_while_streaming_is_an_error(app: flask.Flask) -> None:
    @app.get("/")
    def stream() -> flask.Response:
        def body() -> cabc.Iterator[str]:
            session["inside"] = 1
            yield ""

        return flask.Response(flask.stream_with_context(body()))

    with pytest.raises(SessionCommitted):
        app.test_client().get("/")


def test_a_streamed_page_shows_messages(app: flask.Flask) -> None:
    @app.get("/")
    def stream() -> flask.Response:
        source = "{% for m in get_flashed_messages() %}{{ m }}{% endfor %}"
        return flask.Response(flask.stream_template_string(source))

    client = app.test_client()

    with client.session_transaction() as opened:
        opened["_flashes"] = [("message", "hello")]

    assert client.get("/").text == "hello"
