"""A page that shows a user where they are logged in, and ends any of it."""

from __future__ import annotations

import hmac
import importlib
import secrets
import typing as t

import flask
import werkzeug
from flask.typing import ResponseReturnValue

from sessionkit.devices import STYLESHEET

from . import login
from .extension import session

#: In the session: what shows that a form comes from the page.
_TOKEN: t.Final = "_sessionkit_devices_token"  # noqa: S105
_OUTCOME: t.Final = "_sessionkit_devices"


def devices(
    *,
    url_prefix: str = "/account/devices",
    login_endpoint: str | None = None,
    name: str = "sessionkit_devices",
) -> flask.Blueprint:
    """Return a blueprint with the page; its templates are ``sessionkit/devices.html`` and
    ``sessionkit/base.html``, which an application replaces by templates of the same name.

    The page needs a store with an index of owners. It is for the session's owner; others are sent
    to the login page, Flask-Login's if there is nothing else, or get a 403.

    :param url_prefix: where the page is.
    :param login_endpoint: the endpoint of the login page.
    :param name: of the blueprint; ``url_for(name + ".show")`` is the page.

    >>> from flask import Flask
    >>> from flask_sessionkit import SessionKit
    >>> app = Flask(__name__)
    >>> _ = SessionKit(app)
    >>> app.register_blueprint(devices(url_prefix="/account/devices"))
    """
    blueprint = flask.Blueprint(
        name,
        __name__,
        url_prefix=url_prefix,
        template_folder="templates",
        static_folder=str(STYLESHEET.parent),
    )

    def show() -> ResponseReturnValue:
        owner = _owner()
        return _to_login(login_endpoint) if owner is None else _page(owner)

    def end() -> ResponseReturnValue:
        owner = _owner()

        if owner is None:
            return _to_login(login_endpoint)

        if not _is_from_page():
            return _page(owner, outcome="form", status=400)

        session.flash[_OUTCOME] = _end(owner)
        return flask.redirect(flask.url_for(".show"), 303)

    blueprint.add_url_rule("/", view_func=show, methods=["GET"])
    blueprint.add_url_rule("/", view_func=end, methods=["POST"])
    return blueprint


def _owner() -> str | None:
    """Return whose session it is, once Flask-Login has looked for the user.

    :raises StoreUnavailable: if the session cannot be read, whatever the policy makes of that.
    """
    _ = session.state

    if session.error is not None:
        raise session.error

    if hasattr(flask.current_app, "login_manager"):
        flask_login = importlib.import_module("flask_login")

        if not flask_login.current_user.is_authenticated:
            return None

        login.settle(session, flask.request.environ, ok=True)

        if session.draft.owner != session.draft.base_owner:
            session.save()  # so that a login that a cookie of Flask-Login remembers is listed

    return session.owner


def _to_login(endpoint: str | None) -> ResponseReturnValue:
    if endpoint is not None:
        return flask.redirect(flask.url_for(endpoint), 303)

    manager = getattr(flask.current_app, "login_manager", None)

    if manager is None:
        flask.abort(403)

    answer: ResponseReturnValue = manager.unauthorized()
    return answer


def _page(owner: str, *, outcome: str | None = None, status: int = 200) -> werkzeug.Response:
    app = flask.current_app
    found = session.manager.sessions_of(owner, current=session)
    body = flask.render_template(
        "sessionkit/devices.html",
        devices=found,
        others=any(not info.is_current for info in found),
        outcome=outcome or session.flash.get(_OUTCOME),
        token=_token(),
        # Flask-WTF's CSRFProtect wants its own token, too.
        wtf_field=app.config["WTF_CSRF_FIELD_NAME"] if "csrf" in app.extensions else None,
    )
    response = flask.make_response(body, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers.setdefault("X-Frame-Options", "DENY")
    return response


def _end(owner: str) -> str:
    """End what the form says; return the outcome, for the page."""
    form = flask.request.form

    if "others" in form:
        session.manager.revoke_all(owner, except_=session)
        return "others"

    public_id = form.get("end", "")

    if public_id == session.public_id:
        return "current"

    # Somebody else's session is answered like one that there never was.
    return "ended" if session.manager.revoke(owner, public_id) else "gone"


def _token() -> str:
    token = session.get(_TOKEN)

    if not isinstance(token, str):
        token = session[_TOKEN] = secrets.token_urlsafe()

    return token


def _is_from_page() -> bool:
    expected = session.get(_TOKEN)
    given = flask.request.form.get("devices_token", "")
    return isinstance(expected, str) and hmac.compare_digest(expected.encode(), given.encode())
