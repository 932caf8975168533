"""Flask's own sessions, in a signed cookie."""

from __future__ import annotations

import typing as t

from benchmarks import frameworks
from benchmarks.scenarios import PlainFace
from benchmarks.site import Places
from benchmarks.site import Site


class FlaskPeerFace(frameworks.FlaskFace, PlainFace):
    """What all sessions of Flask want, but ours."""

    def created(self, session: t.Any, /) -> object:
        session.permanent = True
        return None

    def changed(self, session: t.Any, /) -> object:
        session.modified = True
        return None

    def renew(self, session: t.Any, /) -> object:
        return None  # a cookie has no id

    def end(self, session: t.Any, /) -> object:
        return session.clear()


class FlaskPeer(Site):
    """Prolongs sessions or not as Flask's setting says, which is on by default."""

    app: t.Any

    def __init__(self, app: t.Any) -> None:
        super().__init__(app)
        self.roll(False)

    def roll(self, rolling: bool) -> None:
        self.app.config["SESSION_REFRESH_EACH_REQUEST"] = rolling


def build_flask(places: Places, store: str) -> Site:
    return FlaskPeer(frameworks.flask_app(FlaskPeerFace(), SECRET_KEY="k" * 50))
