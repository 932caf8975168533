"""Flask-Login for somebody who has logged in elsewhere: in Django, or in plain WSGI."""

from __future__ import annotations

import collections.abc as cabc
import importlib
import typing as t

import flask

from sessionkit.session import Session

User = t.TypeVar("User")


class LoginManager(t.Protocol):
    """What is needed of :class:`flask_login.LoginManager`."""

    def request_loader(self, callback: t.Any) -> t.Any: ...


def load_user_from_owner(
    login_manager: LoginManager, load: cabc.Callable[[str], User | None] | None = None
) -> None:
    """Let Flask-Login know the owner of the session as its user.

    Asked when Flask-Login's own key is absent, because the login happened in Django or in another
    application on the same store and cookie. Whoever logs out there is unknown here.

    :param login_manager: gets a ``request_loader``.
    :param load: from the session's owner to the user; None: the manager's ``user_loader``.
    """

    manager: t.Any = login_manager

    def load_user(request: flask.Request) -> User | None:
        owner = _session().owner
        return None if owner is None else (load or manager.user_callback)(owner)

    def accessed(app: flask.Flask, **_: t.Any) -> None:
        if getattr(app, "login_manager", None) is login_manager:
            _adopt(manager)

    login_manager.request_loader(load_user)
    signals = importlib.import_module("flask_login.signals")
    # Not weakly: nobody else holds on to it.
    signals.user_accessed.connect(accessed, weak=False)


def _adopt(manager: t.Any) -> None:
    """Put a login from elsewhere under Flask-Login's session protection.

    In strong mode that takes a session without its mark for a stolen one.
    """
    session = _session()

    if session.owner is not None and "_id" not in session and "_user_id" not in session:
        session["_id"] = manager._session_identifier_generator()


def _session() -> Session:
    return t.cast(Session, flask.session)
