"""Keeps the owner of a session in step with Flask-Login, which knows nothing of owners.

What a session holds at the commit says who is logged in. Signals tell what its keys do not show:
a login as the same user, a logout of somebody who was logged in through Django.
"""

from __future__ import annotations

import importlib
import typing as t

import flask

from sessionkit.devices import device_of
from sessionkit.draft import Draft
from sessionkit.draft import Intent
from sessionkit.errors import TooManySessions
from sessionkit.session import Session

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_USER: t.Final = "_user_id"
_FRESH: t.Final = "_fresh"

# What a login writes, kept when the session was another user's.
_WRITTEN: t.Final = (_USER, _FRESH, "_id", "_remember", "_remember_seconds")

# In the environ: what Flask-Login did last in this request.
_EVENT: t.Final = "flask_sessionkit.login"
_LOGGED_IN: t.Final = "logged in"
_LOGGED_OUT: t.Final = "logged out"


def watch(app: flask.Flask) -> None:
    """Listen to Flask-Login, which *app* uses."""
    signals = importlib.import_module("flask_login.signals")
    signals.user_logged_in.connect(_logged_in, app)
    signals.user_loaded_from_cookie.connect(_remembered, app)
    signals.user_logged_out.connect(_logged_out, app)


def _logged_in(app: flask.Flask, **_: t.Any) -> None:
    opened: object = flask.session

    if isinstance(opened, Session):
        _admit(app, opened)

        if opened.owner != str(opened.get(_USER)):
            _forget_form_tokens(opened)

    flask.request.environ[_EVENT] = _LOGGED_IN


def _remembered(app: flask.Flask, **_: t.Any) -> None:
    opened: object = flask.session

    if isinstance(opened, Session):
        _admit(app, opened)


def _admit(app: flask.Flask, session: Session) -> None:
    """Let a login beyond the limit raise while the view can answer; leave nothing of it."""
    try:
        session.check_limit(str(session.get(_USER)))
    except TooManySessions:
        for key in _WRITTEN:
            session.pop(key, None)

        t.cast(t.Any, app).login_manager._update_request_context_with_user()
        raise


def _forget_form_tokens(session: Session) -> None:
    """Drop CSRF tokens before the answer shows them: they do not survive the change of owner."""
    draft = session.draft
    written = draft.values.changed()

    for key in session.manager.policy.form_tokens:
        if key not in written:
            flask.g.pop(key, None)
            session.pop(key, None)


def _logged_out(app: flask.Flask, **_: t.Any) -> None:
    flask.request.environ[_EVENT] = _LOGGED_OUT


def settle(session: Session, environ: WSGIEnvironment, *, ok: bool) -> None:
    """Bind or unbind *session* as Flask-Login's keys say, before it is committed.

    What the application did itself in this request with ``bind`` wins.

    :param ok: False if the answer is an error: then nobody is logged in, only out.
    :raises StoreUnavailable: if somebody logs in while the session is unavailable.
    """
    draft = session.loaded_draft or session.draft
    event = environ.pop(_EVENT, None)
    before = draft.values.base.get(_USER)
    changed = draft.values.current.get(_USER) != before

    owned = draft.owner is not None

    # As in all but a few requests.
    if event is None and not changed and (before is None or (owned and not _refreshed(session))):
        return

    if _bound_by_application(draft):
        return

    user = session.get(_USER)
    assigned = draft.values.changed()

    if user is not None:
        if ok and (event == _LOGGED_IN or changed or not owned or _refreshed(session)):
            # An owner that the application chose, under another name, goes on.
            same = draft.owner if not changed and event is None else None
            owner = same or str(user)
            meta = session.meta if owner == draft.owner else {}

            if flask.current_app.config.get("SESSIONKIT_REMEMBER_DEVICES"):
                meta |= device_of(environ)

            session.bind(owner, keep={*assigned, *_WRITTEN}, **meta)
    elif event == _LOGGED_OUT or (changed and before is not None):
        known = before is not None or draft.owner is not None or not draft.keeps_writes
        known |= draft.was_ended

        if known and draft.intent is not Intent.END:
            session.unbind(keep=assigned)


def _bound_by_application(draft: Draft) -> bool:
    if draft.owner is None:
        return False

    return draft.intent in (Intent.BIND, Intent.END) or draft.owner != draft.base_owner


def _refreshed(session: Session) -> bool:
    """Say whether a remembered login was confirmed with a password in this request."""
    values = session.draft.values
    encoded = values.current.get(_FRESH)
    return encoded != values.base.get(_FRESH) and session.get(_FRESH) is True
