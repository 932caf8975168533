"""SessionKit: the Flask extension."""

from __future__ import annotations

import typing as t

import flask

from sessionkit.base_manager import BaseManager
from sessionkit.errors import ConfigurationError
from sessionkit.session import Session

from . import failures
from .interface import SessionKitInterface

#: The same proxy as ``flask.session``, for type checkers, which else do not know ``renew`` and so
#: on.
session: Session = t.cast(Session, flask.session)


class SessionKit:
    """Gives Flask applications sessions on a store. ``flask.session`` then is a
    :class:`sessionkit.Session`.

    One object may serve several applications. Settings are read at an application's first request:
    ``SESSIONKIT_STORE`` (a URL or a store, or ``"cookie:"`` for sessions inside of their cookie;
    the default is an SQLite file in the instance folder), ``SESSIONKIT_SECRETS``,
    ``SESSIONKIT_POLICY``, ``SESSIONKIT_COOKIE``, ``SESSIONKIT_HEADER``, ``SESSIONKIT_TYPES``,
    ``SESSIONKIT_TRACE``, ``SESSIONKIT_REMEMBER_DEVICES``, and Flask's own ``SESSION_COOKIE_...``
    and ``PERMANENT_SESSION_LIFETIME``.

    :param app: the application; or call :meth:`init_app` later.
    :param manager: in place of all settings, to share one with other ways in. Its policy should
        come from :func:`flask_policy`.
    :raises ConfigurationError: if *manager* is none.

    >>> from flask import Flask, session
    >>> app = Flask(__name__)
    >>> app.config["SESSIONKIT_STORE"] = "memory:"
    >>> _ = SessionKit(app)
    """

    #: Of what class each application's session interface is; a subclass may override ``get_...``.
    interface_class: type[SessionKitInterface] = SessionKitInterface

    def __init__(self, app: flask.Flask | None = None, manager: BaseManager | None = None) -> None:
        if manager is not None and not isinstance(manager, BaseManager):
            raise ConfigurationError(
                f"SessionKit needs a SessionManager, not {type(manager).__name__}; a store goes "
                "into app.config['SESSIONKIT_STORE']"
            )

        self._manager = manager

        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Serve *app*, too. Reads no settings yet."""
        interface = self.interface_class(self._manager)
        app.session_interface = interface
        app.extensions["sessionkit"] = self

        # No method: Flask looks each time whether it is async, which takes twice as long for one.
        @app.teardown_request
        def abandon(error: BaseException | None) -> None:
            if error is not None:
                interface.abandon()

        failures.handle_errors(app)

    @property
    def manager(self) -> BaseManager:
        """The manager of the current application, to list and end the sessions of a user.

        Reads the application's settings if that has not happened yet.

        :raises RuntimeError: outside of an application context.
        """
        return self.manager_of(flask.current_app)

    def manager_of(self, app: flask.Flask) -> BaseManager:
        """Return the manager of *app*.

        :raises ConfigurationError: if *app* has other sessions.
        """
        interface = app.session_interface

        if not isinstance(interface, SessionKitInterface):
            raise ConfigurationError(f"the sessions of {app.name!r} are not SessionKit's")

        return interface.manager_of(app)
