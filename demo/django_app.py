"""The Django page: ``request.session``, as always."""

from __future__ import annotations

import typing as t

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseRedirect
from django.urls import include
from django.urls import path
from django.urls import reverse
from django.views.decorators.http import require_POST
from django.views.decorators.http import require_safe

from sessionkit import device_of

from . import parallel
from .page import render
from .page import typed_in
from .shared import Shared

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from django_sessionkit.engine import SessionStore

    class Request(HttpRequest):
        session: SessionStore


@require_safe
def show(request: Request) -> HttpResponse:
    # Behind Django's interface stands the same object as in the other two.
    return HttpResponse(render("django", request.session.core))


@require_POST
def log_in(request: Request) -> HttpResponse:
    device = device_of(request.META)
    request.session.bind(typed_in(request.POST, "name"), through="Django", **device)
    request.session.flash["message"] = f"Welcome, {request.session.owner}!"
    return back()


@require_POST
def log_out(request: Request) -> HttpResponse:
    request.session.destroy()
    request.session.flash["message"] = "You are logged out of all three."
    return back()


@require_POST
def log_out_elsewhere(request: Request) -> HttpResponse:
    session = request.session.core

    if session.owner is not None:
        ended = session.manager.revoke_all(session.owner, except_=session)
        session.flash["message"] = f"Logged out elsewhere: {ended}."

    return back()


@require_POST
def add_to_cart(request: Request) -> HttpResponse:
    request.session.setdefault("cart", []).append(typed_in(request.POST, "item"))
    return back()


@require_POST
def leave_message(request: Request) -> HttpResponse:
    request.session.flash["message"] = typed_in(request.POST, "message")
    return back()


@require_POST
def forget_keys(request: Request) -> HttpResponse:
    parallel.forget_keys(request.session.core)
    return back()


@require_POST
def write_key(request: Request, number: int) -> HttpResponse:
    parallel.write_key(request.session.core, number)
    return back()


def back() -> HttpResponse:
    response = HttpResponseRedirect(reverse(show))
    response.status_code = 303
    return response


urlpatterns = [
    path("", show),
    path("login", log_in),
    path("logout", log_out),
    path("logout-elsewhere", log_out_elsewhere),
    path("cart", add_to_cart),
    path("flash", leave_message),
    path("parallel", forget_keys),
    path("account/devices/", include("django_sessionkit.devices")),
    *[path(f"parallel/{number}", write_key, {"number": number}) for number in parallel.NUMBERS],
]


def create_app(shared: Shared) -> WSGIApplication:
    settings.configure(
        SECRET_KEY="unused by sessionkit, and by this demo",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django_sessionkit"],
        TIME_ZONE="UTC",
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        MIDDLEWARE=["django_sessionkit.middleware.SessionMiddleware"],
        SESSION_ENGINE="django_sessionkit.engine",
        SESSION_COOKIE_NAME=shared.cookie,
        SESSIONKIT={
            "STORE": shared.store,
            "SECRETS": [*shared.secrets],
            "POLICY": shared.policy,
        },
    )
    django.setup()
    return get_wsgi_application()
