"""What Flask answers when a session cannot be read or saved: 503, and the cookie is left alone."""

from __future__ import annotations

import flask
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import ServiceUnavailable

from sessionkit.answer import UNAVAILABLE
from sessionkit.answer import unavailable
from sessionkit.errors import SessionError
from sessionkit.session import Session


def handle_errors(app: flask.Flask) -> None:
    """Answer errors of the session that a view lets pass with 503.

    The application's handler for 503 is asked first; one for the errors themselves replaces this.
    """
    handlers = app.error_handler_spec[None][None]

    for kind in UNAVAILABLE:
        if kind not in handlers:
            app.register_error_handler(kind, _answer)


def _answer(error: SessionError) -> ResponseReturnValue | HTTPException:
    app = flask.current_app
    response = app.response_class()
    session: object = flask.session

    if isinstance(session, Session):
        session.drop_custom_cookies()

    replace(response, error, flask.request.method)

    try:
        return app.handle_http_exception(ServiceUnavailable(response=response))
    except UNAVAILABLE:
        return response  # the application's page needs the session as well


def replace(response: flask.Response, error: SessionError, method: str) -> None:
    """Turn *response* into the answer to a request whose session failed.

    Nothing remains of it, no cookie of a login that was not saved in particular.
    """
    body = response.response
    close = getattr(body, "close", None)

    if close is not None:
        close()

    answer = unavailable(error, method)
    response.status_code = answer.status
    response.headers.clear()
    response.headers.extend(answer.headers)
    response.response = [answer.body]
    response.direct_passthrough = False
