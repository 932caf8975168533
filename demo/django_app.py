"""The Django page: ``request.session``, as always."""

from __future__ import annotations

import typing as t

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_POST
from django.views.decorators.http import require_safe

from sessionkit import Session
from sessionkit import SessionPolicy
from sessionkit import Store

from .actions import perform
from .page import render

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from django_sessionkit.engine import SessionStore


def create_app(
    store: Store, secrets: tuple[str, ...], cookie: str, policy: SessionPolicy
) -> WSGIApplication:
    settings.configure(
        SECRET_KEY="unused by sessionkit, and by this demo",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["django_sessionkit.middleware.SessionMiddleware"],
        SESSION_ENGINE="django_sessionkit.engine",
        SESSION_COOKIE_NAME=cookie,
        SESSIONKIT={"STORE": store, "SECRETS": [*secrets], "POLICY": policy},
    )
    django.setup()
    return get_wsgi_application()


def core_of(request: HttpRequest) -> Session:
    """Return what stands behind Django's interface: the same object as in Flask and WSGI."""
    return t.cast("SessionStore", request.session).core


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    session = core_of(request)
    owner = session.owner
    sessions = session.manager.sessions_of(owner) if owner is not None else []
    return HttpResponse(render("django", session, sessions))


@require_POST
def act(request: HttpRequest, action: str) -> HttpResponse:
    if not perform(core_of(request), action, request.POST.dict(), "Django"):
        raise Http404

    response = HttpResponseRedirect("/django/")
    response.status_code = 303
    return response


urlpatterns = [path("", show), path("<path:action>", act)]
