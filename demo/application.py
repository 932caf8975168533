"""The three applications under one roof: one store, one cookie, one list of secrets."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.utils import redirect

from sessionkit.stores import open_store

from . import django_app
from . import flask_app
from . import wsgi_app
from .recording import RecordingStore
from .shared import Shared
from .trace import Trace

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment


def build(store_url: str) -> WSGIApplication:
    """Return the demo as one WSGI application.

    :param store_url: where the sessions are kept, see ``sessionkit.stores.open_store``.
    :raises ConfigurationError: if there is no such store.
    """
    shared = Shared(RecordingStore(open_store(store_url)))
    mounts: dict[str, WSGIApplication] = {
        "/wsgi": wsgi_app.create_app(shared),
        "/flask": flask_app.create_app(shared),
        "/django": django_app.create_app(shared),
    }
    return Trace(DispatcherMiddleware(_front_door, mounts), shared.cookie, shared.secrets)


def _front_door(environ: WSGIEnvironment, start_response: StartResponse) -> cabc.Iterable[bytes]:
    # What browsers look for by themselves, such as /favicon.ico, is no visit.
    answer = redirect("/wsgi/") if environ["PATH_INFO"] in ("", "/") else NotFound()
    return answer(environ, start_response)
