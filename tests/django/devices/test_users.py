"""The page of Django's users, and what is kept of their devices."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.test import override_settings
from django.urls import path

from django_sessionkit import get_manager
from django_sessionkit.checks import check_settings
from tests.django.conftest import use_middleware
from tests.django.devices.support import FIREFOX
from tests.django.devices.support import PAGE
from tests.django.devices.support import WITHOUT_USERS
from tests.django.devices.support import names
from tests.django.devices.support import text
from tests.spies import Spy


@pytest.fixture
def with_users() -> cabc.Generator[None, None, None]:
    middleware = [*WITHOUT_USERS, "django.contrib.auth.middleware.AuthenticationMiddleware"]

    with override_settings(MIDDLEWARE=middleware):
        yield


@pytest.mark.usefixtures("with_users", "manager")
class TestUsers:
    def test_whoever_is_not_logged_in_goes_to_the_login_page(self) -> None:
        answer = Client().get(PAGE)
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/accounts/login/?next=/account/devices/"

    def test_djangos_user_sees_their_devices(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        assert names(text(client)) == ["Unknown device This device"]

    def test_an_old_password_shows_nothing(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        User.objects.filter(pk=user.pk).update(password="another")
        assert client.get(PAGE).status_code == 302


def django_login(request: t.Any) -> HttpResponse:
    user = User.objects.get(pk=request.POST["name"])
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse()


@pytest.mark.parametrize("middleware", ["ours", "stock"])
@pytest.mark.parametrize("remembers", [True, False])
def test_a_login_remembers_the_device_if_asked_to(
    user: User, middleware: str, remembers: bool, spy: Spy
) -> None:
    class Login:
        urlpatterns: t.ClassVar[list[t.Any]] = [path("enter", django_login)]

    sessionkit = {"STORE": spy, "REMEMBER_DEVICES": remembers}
    with override_settings(ROOT_URLCONF=Login, SESSIONKIT=sessionkit), use_middleware(middleware):
        client = Client()
        for _ in range(2):
            client.post("/enter", {"name": user.pk}, headers={"User-Agent": FIREFOX})
        (info,) = get_manager().sessions_of(user.pk)
    assert (info.browser, info.address) == (("Firefox", "127.0.0.1") if remembers else (None, None))


def test_whether_devices_are_remembered_is_true_or_false() -> None:
    with override_settings(SESSIONKIT={"STORE": "memory:", "REMEMBER_DEVICES": "no"}):
        (found,) = check_settings()
    assert "SESSIONKIT['REMEMBER_DEVICES'] must be True or False" in found.msg
