"""The three applications under one roof: one store, one cookie, one list of secrets."""

from __future__ import annotations

import typing as t

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.utils import redirect

from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit.stores import open_store

from . import django_app
from . import flask_app
from . import wsgi_app
from .trace import RecordingStore
from .trace import Trace

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Cookies ignore ports: a name of its own keeps this demo apart from others on this machine.
COOKIE = "sessionkit-demo"

# Whoever shares sessions shares the rules for them, too.
POLICY = SessionPolicy(queues=("_flashes",), form_tokens=("csrf_token", "_csrftoken"))


def build(store_url: str, secrets: tuple[str, ...] = ("only for the demo",)) -> WSGIApplication:
    """Return the demo as one WSGI application.

    :param store_url: where the sessions are kept, see ``sessionkit.stores.open_store``.
    :param secrets: sign the cookie, newest first.
    """
    store = RecordingStore(open_store(store_url))
    manager = SessionManager(
        store, secrets=secrets, policy=POLICY, cookie=CookieOptions(name=COOKIE)
    )
    mounts: dict[str, WSGIApplication] = {
        "/wsgi": SessionMiddleware(wsgi_app.application, manager),
        "/flask": flask_app.create_app(store, secrets, COOKIE, POLICY),
        "/django": django_app.create_app(store, secrets, COOKIE, POLICY),
    }
    return Trace(DispatcherMiddleware(redirect("/wsgi/"), mounts))
