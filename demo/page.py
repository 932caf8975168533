"""The page that all three applications show. Plain HTML; only one button needs JavaScript."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import typing as t
from pathlib import Path

from markupsafe import Markup

from sessionkit import Session
from sessionkit import SessionInfo

from . import parallel
from .trace import MARKER


def _read(name: str) -> Markup:
    return Markup(Path(__file__).with_name("static").joinpath(name).read_text("utf-8"))


PAGE: t.Final = _read("page.html")
LOGGED_OUT: t.Final = _read("logged_out.html")
LOGGED_IN: t.Final = _read("logged_in.html")
STYLE: t.Final = _read("style.css")
SCRIPT: t.Final = _read("parallel.js")

FRAMEWORKS: t.Final = {"wsgi": "Raw WSGI", "flask": "Flask", "django": "Django"}

#: What the login says of why the session before is over.
ENDED: t.Final = {
    "revoked": "You were logged out from another browser.",
    "evicted": "You were logged out, since you have logged in in too many other browsers.",
    "expired": "Your session has expired.",
}

#: What stands for a field that was left empty.
EXAMPLES: t.Final = {"name": "alice", "item": "tea", "message": "Hello!"}


def typed_in(form: cabc.Mapping[str, str], field: str) -> str:
    """Return what was typed into a *field*: short, and nothing that cannot be printed."""
    text = "".join(filter(str.isprintable, form.get(field, "")))
    return text.strip()[:60] or EXAMPLES[field]


def render(framework: str, session: Session) -> str:
    """Return the page of *framework* for *session*."""
    kept = parallel.kept(session)
    return PAGE.format(
        framework=framework,
        title=FRAMEWORKS[framework],
        style=STYLE,
        script=SCRIPT,
        navigation=_navigation(framework),
        flashes=_each(
            '<p class="flash" role="status">{}</p>', [text for _, text in session.flash.items()]
        ),
        identity=_identity(framework, session),
        visits=session.mutate("visits", lambda visits: visits + 1, 0),
        cart=_each("<li>{}</li>", session.get("cart", [])),
        keys=_each(
            "<li{}>{}</li>", [(_if(n in kept, ' class="kept"'), n) for n in parallel.NUMBERS]
        ),
        kept=len(kept),
        trace=Markup(MARKER),
    )


def _navigation(current: str) -> Markup:
    links = [
        (name, _if(name == current, ' aria-current="page"'), title)
        for name, title in FRAMEWORKS.items()
    ]
    return _each('<a href="/{}/"{}>{}</a>', links)


def _identity(framework: str, session: Session) -> Markup:
    if session.owner is None:
        ended = [ENDED[reason]] if (reason := session.ended_reason) in ENDED else []
        return LOGGED_OUT.format(ended=_each('\n  <p id="ended">{}</p>', ended))

    sessions = session.manager.sessions_of(session.owner)
    return LOGGED_IN.format(
        owner=session.owner,
        sessions=_each(
            "<li>through {}, last seen at {} UTC{}</li>",
            [_place(info, session) for info in sessions],
        ),
        elsewhere=_if(len(sessions) < 2, " disabled"),
        # Flask and Django have such a page ready.
        at="flask" if framework == "wsgi" else framework,
    )


def _place(info: SessionInfo, session: Session) -> tuple[str, str, Markup]:
    seen = datetime.datetime.fromtimestamp(info.seen_at, datetime.timezone.utc)
    here = _if(info.public_id == session.public_id, " <mark>this browser</mark>")
    return info.meta.get("through", "?"), f"{seen:%H:%M:%S}", here


def _if(condition: bool, html: str) -> Markup:
    return Markup(html if condition else "")


def _each(template: str, rows: cabc.Iterable[object]) -> Markup:
    item = Markup(template)
    return Markup("").join(item.format(*(row if isinstance(row, tuple) else [row])) for row in rows)
