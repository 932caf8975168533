"""Messages and CSRF tokens in the session."""

from __future__ import annotations

import typing as t

import pytest
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.middleware.csrf import get_token
from django.test import Client
from django.test import override_settings

from tests.spies import Spy

from .conftest import Site

pytestmark = pytest.mark.usefixtures("middleware")

STORAGES = "django.contrib.messages.storage"


@pytest.mark.parametrize("storage", ["session.SessionStorage", "fallback.FallbackStorage"])
def test_messages_are_shown_once(site: Site, spy: Spy, storage: str) -> None:
    def say(request: t.Any) -> None:
        messages.success(request, "saved " + "x" * 4000)

    def show(request: t.Any) -> object:
        return len(list(messages.get_messages(request)))

    with override_settings(MESSAGE_STORAGE=f"{STORAGES}.{storage}"):
        browser = site(say=say, show=show, idle=lambda request: "idle")
        browser.get("/say")
        browser.get("/idle")
        assert browser.get("/show").content == b"1"
        assert browser.get("/show").content == b"0"


def test_a_login_form_sent_twice_passes_its_csrf_check(site: Site, spy: Spy, user: User) -> None:
    def enter(request: t.Any) -> str:
        if request.method == "POST":
            login(request, user, "django.contrib.auth.backends.ModelBackend")

        return get_token(request)

    with override_settings(CSRF_USE_SESSIONS=True):
        site(enter=enter)
        browser, again = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
        token = browser.get("/enter").content.decode()
        again.cookies.update(browser.cookies)

        for one in (browser, again):
            response = one.post("/enter", {"csrfmiddlewaretoken": token})
            assert response.status_code == 200
            assert one.session.owner == str(user.pk)  # type: ignore[attr-defined]

        assert browser.post("/enter", {"csrfmiddlewaretoken": token}).status_code == 403
