"""The page that all three applications show. Plain HTML; only one button needs JavaScript."""

from __future__ import annotations

import datetime
import pathlib
import typing as t

from markupsafe import Markup
from markupsafe import escape

from sessionkit import Session
from sessionkit import SessionInfo

from .trace import MARKER

STYLE = Markup(pathlib.Path(__file__).with_name("static").joinpath("style.css").read_text())
SCRIPT = Markup(pathlib.Path(__file__).with_name("static").joinpath("parallel.js").read_text())

FRAMEWORKS: t.Final = {"wsgi": "Raw WSGI", "flask": "Flask", "django": "Django"}

PAGE = Markup(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sessionkit – {title}</title>
<style>{style}</style>
</head>
<body>
<header>
  <h1>sessionkit</h1>
  <p>One session, three frameworks. Whatever you do here is known on the other two pages.</p>
  <nav aria-label="Frameworks">{navigation}</nav>
</header>
<main>
{flashes}
<section>
  <h2>Who are you?</h2>
  {identity}
</section>
<section>
  <h2>Visits</h2>
  <p class="big" id="visits">{visits}</p>
  <p>Counted with <code>mutate</code>: exact, however many requests come at once.</p>
</section>
<section>
  <h2>Cart</h2>
  <ul id="cart">{cart}</ul>
  <form method="post" action="cart">
    <label for="item">Item</label>
    <input id="item" name="item" required maxlength="40" placeholder="tea">
    <button>Add</button>
  </form>
  <p>Saved by <code>session["cart"].append(item)</code> alone.</p>
</section>
<section>
  <h2>Flash</h2>
  <form method="post" action="flash">
    <label for="message">Message</label>
    <input id="message" name="message" required maxlength="80" placeholder="Hello!">
    <button>Show on the next page</button>
  </form>
</section>
<section>
  <h2>Twenty requests at once</h2>
  <button type="button" id="parallel">Fire</button>
  <p>Each writes a key of its own into this session, at the same time.
  <output id="outcome">Kept so far: {parallel} of 20.</output></p>
</section>
<section class="wide">
  <h2>What your session did in this request</h2>
  {trace}
</section>
</main>
<script>{script}</script>
</body>
</html>
"""
)

LOGGED_OUT = Markup(
    """<p id="identity">Nobody yet. Any name will do; there is no password in this demo.</p>
<form method="post" action="login">
  <label for="name">Name</label>
  <input id="name" name="name" required maxlength="40" autocomplete="username">
  <button>Log in</button>
</form>"""
)

LOGGED_IN = Markup(
    """<p id="identity">Logged in as <strong>{owner}</strong>, in {count} {places}:</p>
<ul id="sessions">{sessions}</ul>
<form method="post" action="logout"><button>Log out</button></form>
<form method="post" action="logout-elsewhere"><button>Log out everywhere else</button></form>"""
)


def render(framework: str, session: Session, sessions: list[SessionInfo]) -> str:
    """Return the page of *framework* for *session*.

    :param sessions: where the owner is logged in.
    """
    messages = [value for _, value in session.flash.items()]
    parallel = sum(key.startswith("parallel-") for key in session)
    return PAGE.format(
        title=FRAMEWORKS[framework],
        style=STYLE,
        script=SCRIPT,
        navigation=_each('<a href="/{}/"{}>{}</a>', _links(framework)),
        flashes=_each('<p class="flash" role="status">{}</p>', [(text,) for text in messages]),
        identity=_identity(session, sessions),
        visits=session.mutate("visits", lambda visits: visits + 1, 0),
        cart=_each("<li>{}</li>", [(item,) for item in session.get("cart", [])]),
        parallel=parallel,
        trace=Markup(MARKER),
    )


def _links(framework: str) -> list[tuple[str, Markup, str]]:
    current = Markup(' aria-current="page"')
    return [
        (name, current if name == framework else Markup(""), title)
        for name, title in FRAMEWORKS.items()
    ]


def _identity(session: Session, sessions: list[SessionInfo]) -> Markup:
    if session.owner is None:
        return LOGGED_OUT

    rows = [
        (
            info.meta.get("framework", "?"),
            f"{datetime.datetime.fromtimestamp(info.created_at, datetime.timezone.utc):%H:%M:%S}",
            " – this one" if info.public_id == session.public_id else "",
        )
        for info in sessions
    ]
    return LOGGED_IN.format(
        owner=session.owner,
        count=len(rows),
        places="place" if len(rows) == 1 else "places",
        sessions=_each("<li>by {}, begun at {} UTC{}</li>", rows),
    )


def _each(template: str, rows: t.Sequence[tuple[object, ...]]) -> Markup:
    item = Markup(template)
    return Markup("").join(item.format(*map(escape, row)) for row in rows)
