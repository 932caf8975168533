"""The frameworks without sessions: what all others are compared with."""

from __future__ import annotations

import typing as t

from benchmarks import frameworks
from benchmarks.scenarios import PlainFace
from benchmarks.scenarios import content
from benchmarks.site import Places
from benchmarks.site import Site


class _Face(PlainFace):
    """A dict that is always the same, in the place of a session."""

    def __init__(self) -> None:
        self._session = content()

    def session(self, source: t.Any, /) -> t.Any:
        return self._session

    def renew(self, session: t.Any, /) -> object:
        return None

    def end(self, session: t.Any, /) -> object:
        return None


class _Bare(Site):
    def browser(self, kind: str) -> str:
        return "sid=" + "x" * 80


def build_wsgi(places: Places, store: str) -> Site:
    return _Bare(frameworks.wsgi(_Face()))


def build_flask(places: Places, store: str) -> Site:
    app = frameworks.flask_app(_Face())
    app.session_interface = _no_sessions()
    return _Bare(app)


def _no_sessions() -> t.Any:
    import flask.sessions

    class NoSessions(flask.sessions.SessionInterface):
        """Flask cannot do without; this one does nothing."""

        def open_session(self, app: t.Any, request: t.Any) -> t.Any:
            return _nothing

        def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None:
            pass

    _nothing = flask.sessions.NullSession()
    return NoSessions()


def build_django(places: Places, store: str) -> Site:
    return _Bare(frameworks.django(_Face(), middleware=None))


def build_pyramid(places: Places, store: str) -> Site:
    return _Bare(frameworks.pyramid(_Face()))
