"""A view that tells a page how long its session lives yet, or why it is over."""

from __future__ import annotations

import flask

from sessionkit.status import answer_for

from .extension import session


def status() -> flask.Response:
    """Answer as :class:`sessionkit.status.Status` does.

    >>> from flask import Flask
    >>> from flask_sessionkit import SessionKit
    >>> app = Flask(__name__)
    >>> app.config["SESSIONKIT_STORE"] = "memory:"
    >>> _ = SessionKit(app)
    >>> app.add_url_rule("/session-status", view_func=status)
    >>> app.test_client().get("/session-status").get_json()
    {'reason': None, 'seconds_left': None, 'state': 'new'}
    """
    answer = answer_for(session, flask.request.method)
    return flask.Response(answer.body, answer.status, answer.headers)
