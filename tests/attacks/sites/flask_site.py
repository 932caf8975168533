"""The site in Flask, with Flask-Login and Flask-WTF."""

from __future__ import annotations

import flask
import flask_login
import flask_wtf

from flask_sessionkit import SessionKit
from flask_sessionkit import session

from . import environment
from . import views
from .gate import pass_gate


class User(flask_login.UserMixin):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        self.id = name


application = flask.Flask("site")
application.config.update(
    SECRET_KEY="for Flask-WTF",
    SESSIONKIT_STORE=environment.STORE,
    SESSIONKIT_SECRETS=environment.SECRETS,
    SESSION_COOKIE_NAME=environment.COOKIE,
)
kit = SessionKit(application)
flask_wtf.CSRFProtect(application)
flask_login.LoginManager(application).user_loader(User)


@application.get("/form")
def form() -> str:
    return flask.render_template_string("{{ csrf_token() }}")


@application.route("/login", methods=["GET", "POST"])
def login() -> str:
    session.get("user")
    pass_gate(flask.request.args.get("gate"))
    flask_login.login_user(User(flask.request.args["user"]))
    session["user"] = flask.request.args["user"]
    return "logged in"


@application.get("/logout")
def logout() -> str:
    session.get("user")
    pass_gate(flask.request.args.get("gate"))
    flask_login.logout_user()
    session.clear()
    return "logged out"


@application.get("/renew")
def renew() -> str:
    session.get("user")
    pass_gate(flask.request.args.get("gate"))
    session.renew()
    return "renewed"


@application.get("/who")
def who() -> str:
    return str(flask_login.current_user.get_id() or "nobody")


@application.route("/<path:path>", methods=["GET", "POST"])
def other(path: str) -> str:
    return views.VIEWS[f"/{path}"](session, flask.request.args.to_dict())


if environment.IS_WARM:
    views.warm_up(kit.manager_of(application))
