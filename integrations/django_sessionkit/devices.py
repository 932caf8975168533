"""A page that shows a user where they are logged in, and ends any of it.

``path("account/devices/", include("django_sessionkit.devices"))``, and ``"django_sessionkit"`` in
``INSTALLED_APPS`` for the templates ``sessionkit/devices.html`` and ``sessionkit/base.html``, which
a project replaces by templates of the same name.
"""

from __future__ import annotations

import typing as t

from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseBase
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern
from django.urls import path
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_deny
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods
from django.views.decorators.http import require_safe

from sessionkit.devices import STYLESHEET

from .engine import SessionStore

_OUTCOME: t.Final = "_sessionkit_devices"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@csrf_protect
@xframe_options_deny
def devices(request: HttpRequest) -> HttpResponseBase:
    """Show the sessions of the one who is logged in; end what the form says.

    Others are sent to ``LOGIN_URL``, or get a 403 where there is no ``request.user``.
    """
    session = request.session

    if not isinstance(session, SessionStore):
        raise ImproperlyConfigured("the page needs SESSION_ENGINE = 'django_sessionkit.engine'")

    user = getattr(request, "user", None)
    owner = _owner(session) if user is None or user.is_authenticated else None

    if owner is None:
        if user is None or user.is_authenticated:
            raise PermissionDenied

        # It needs the application's models, which are there if there is a user.
        from django.contrib.auth.views import redirect_to_login

        return redirect_to_login(request.get_full_path())

    if request.method == "POST":
        session.flash[_OUTCOME] = _end(request.POST, session, owner)
        answer = HttpResponseRedirect(request.path)
        answer.status_code = 303
        return answer

    found = session.core.manager.sessions_of(owner, current=session.core)
    match = request.resolver_match
    context = {
        "devices": found,
        "others": any(not info.is_current for info in found),
        "outcome": session.flash.get(_OUTCOME),
        "stylesheet": reverse(f"{match.namespace if match else app_name}:stylesheet"),
    }
    return render(request, "sessionkit/devices.html", context)


@require_safe
@cache_control(public=True, max_age=3600)
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Answer what the page looks like, without ``django.contrib.staticfiles``."""
    return HttpResponse(STYLESHEET.read_bytes(), content_type="text/css; charset=utf-8")


app_name: str = "sessionkit"
urlpatterns: list[URLPattern] = [
    path("", devices, name="devices"),
    path("devices.css", stylesheet, name="stylesheet"),
]


def _owner(session: SessionStore) -> str | None:
    """Return whose session it is.

    :raises StoreUnavailable: if the session cannot be read, whatever the policy makes of that.
    """
    _ = session.state

    if session.core.error is not None:
        raise session.core.error

    return session.owner


def _end(form: t.Any, session: SessionStore, owner: str) -> str:
    """End what the form says; return the outcome, for the page."""
    manager = session.core.manager

    if "others" in form:
        manager.revoke_all(owner, except_=session.core)
        return "others"

    public_id = form.get("end", "")

    if public_id == session.public_id:
        return "current"

    # Somebody else's session is answered like one that there never was.
    return "ended" if manager.revoke(owner, public_id) else "gone"
