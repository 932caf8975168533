"""The pages of the site in Django. To be imported when Django has its settings."""

from __future__ import annotations

import typing as t

from django.contrib import auth
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.urls import path

from . import views
from .gate import pass_gate

# There is no database: nobody is asked when somebody was here last.
auth.user_logged_in.disconnect(dispatch_uid="update_last_login")


class Anybody(BaseBackend):
    """Knows a user for every number."""

    def get_user(self, user_id: t.Any) -> User | None:
        return User(pk=int(user_id), username=f"user{user_id}", password="unusable")


def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_token(request))


def login(request: HttpRequest) -> HttpResponse:
    request.session.get("user")
    pass_gate(request.GET.get("gate"))
    user = Anybody().get_user(request.GET["user"])
    auth.login(request, t.cast(User, user), f"{__name__}.Anybody")
    request.session["user"] = request.GET["user"]
    return HttpResponse("logged in")


def logout(request: HttpRequest) -> HttpResponse:
    request.session.get("user")
    pass_gate(request.GET.get("gate"))
    auth.logout(request)
    return HttpResponse("logged out")


def renew(request: HttpRequest) -> HttpResponse:
    request.session.get("user")
    pass_gate(request.GET.get("gate"))
    request.session.cycle_key()
    return HttpResponse("renewed")


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user.pk or "nobody"))


def other(request: HttpRequest) -> HttpResponse:
    return HttpResponse(views.VIEWS[request.path](request.session, request.GET.dict()))


urlpatterns = [
    path("form", form),
    path("login", login),
    path("logout", logout),
    path("renew", renew),
    path("who", who),
    *(path(name[1:], other) for name in views.VIEWS),
]
