"""A page on which users see their devices and end them."""

from __future__ import annotations

import collections.abc as cabc
import re
import typing as t

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest
from django.test import override_settings
from django.urls import include
from django.urls import path
from django.utils import translation

from django_sessionkit import devices
from sessionkit import SessionManager
from sessionkit.base_manager import BaseManager
from sessionkit.testing import FakeClock
from tests.django.conftest import session_of
from tests.django.devices.support import FIREFOX
from tests.django.devices.support import PAGE
from tests.django.devices.support import TEMPLATES
from tests.django.devices.support import URLs
from tests.django.devices.support import enter
from tests.django.devices.support import log_in
from tests.django.devices.support import names
from tests.django.devices.support import press
from tests.django.devices.support import text
from tests.spies import Spy


def public_ids(page: str) -> list[str]:
    return re.findall(r'name="end" value="([^"]+)"', page)


@pytest.mark.usefixtures("manager")
class TestThePage:
    def test_the_list_names_devices_and_this_one(self) -> None:
        log_in(user_agent=FIREFOX)
        log_in(label="Phone", user_agent=FIREFOX)
        page = text(log_in(user_agent="curl/8"))

        assert sorted(names(page)) == ["Firefox on Linux", "Phone", "curl/8 This device"]
        assert page.count("127.0.0.1") == 3
        assert len(public_ids(page)) == 2

    def test_one_is_ended(self) -> None:
        here, _, _ = log_in(), log_in(), log_in()
        page = press(here, end=public_ids(text(here))[0])
        assert "The device was logged out." in page
        assert len(names(page)) == 2
        assert "logged out." not in text(here)

    def test_all_others_are_ended(self, manager: BaseManager) -> None:
        here, there, bob = log_in(), log_in(), log_in("bob")
        page = press(here, others="1")
        assert "All other devices were logged out." in page
        assert "Log out all" not in page
        owners = [session_of(client).owner for client in (here, there, bob)]
        assert owners == ["alice", None, "bob"]

    @pytest.mark.parametrize("end", ["", "x", "x" * 10_000, "\0", "../../", "é"])
    def test_what_there_is_not_is_logged_out_already(self, end: str) -> None:
        assert "logged out already" in press(log_in(), end=end)

    def test_one_that_was_ended_meanwhile(self, manager: BaseManager) -> None:
        here, _ = log_in(), log_in()
        (other,) = public_ids(text(here))
        assert manager.revoke("alice", other)
        page = press(here, end=other)
        assert "logged out already" in page
        assert len(names(page)) == 1

    @pytest.mark.parametrize("ended", ["here", "there"])
    def test_one_that_is_ended_while_it_is_listed_is_not_shown(
        self, manager: BaseManager, spy: Spy, ended: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, _ = log_in(label="here"), log_in(label="there")
        (wanted,) = (info.public_id for info in manager.sessions_of("alice") if info.label == ended)
        owned_by = spy.owned_by

        def end_what_is_listed(owner: str, now: float) -> cabc.Collection[str]:
            keys = owned_by(owner, now)
            monkeypatch.setattr(spy, "owned_by", owned_by)
            assert manager.revoke("alice", wanted)
            return keys

        monkeypatch.setattr(spy, "owned_by", end_what_is_listed)
        page = text(here)
        assert names(page) == (["there"] if ended == "here" else ["here This device"])
        assert here.get(PAGE).status_code == (403 if ended == "here" else 200)

    def test_this_device_is_logged_out_elsewhere(self, manager: BaseManager) -> None:
        client = log_in()
        (info,) = manager.sessions_of("alice")
        assert "Log out as usual" in press(client, end=info.public_id)
        assert session_of(client).owner == "alice"

    def test_an_expired_session_is_not_listed(
        self, manager: SessionManager, session_clock: FakeClock
    ) -> None:
        old = log_in(label="old")
        session_clock.advance(settings.SESSION_COOKIE_AGE + 1)
        assert names(text(log_in(label="new"))) == ["new This device"]
        assert old.get(PAGE).status_code == 403

    def test_an_outage_is_a_503(self, spy: Spy) -> None:
        client = log_in()
        text(client)
        token = "x" * 32
        client.cookies["csrftoken"] = token
        spy.down = True
        assert client.get(PAGE).status_code == 503
        form = {"csrfmiddlewaretoken": token, "others": "1"}
        assert client.post(PAGE, form).status_code == 503

    def test_an_outage_is_no_logout_where_the_policy_shows_an_empty_session(self, spy: Spy) -> None:
        with override_settings(SESSIONKIT={"STORE": spy, "POLICY": {"outage": "unavailable"}}):
            client = log_in()
            spy.down = True
            assert client.get(PAGE).status_code == 503

    def test_a_site_restyles_it_by_templates_of_its_own(self) -> None:
        base = "my frame {% block content %}{% endblock %}"
        loaders = [
            ("django.template.loaders.locmem.Loader", {"sessionkit/base.html": base}),
            "django.template.loaders.app_directories.Loader",
        ]
        backend = {"BACKEND": TEMPLATES[0]["BACKEND"], "OPTIONS": {"loaders": loaders}}
        with override_settings(TEMPLATES=[backend]):
            page = text(log_in())
        assert page.startswith("my frame")
        assert "This device" in page

    def test_the_language_is_the_requests(self) -> None:
        with translation.override("ar"):
            page = text(log_in())
        assert '<html lang="ar" dir="rtl">' in page

    def test_within_another_namespace(self) -> None:
        class Outer:
            urlpatterns: t.ClassVar[list[t.Any]] = [
                path("enter", enter),
                path("me/", include((URLs.urlpatterns, "account"))),
            ]

        with override_settings(ROOT_URLCONF=Outer):
            page = log_in().get("/me/account/devices/").content.decode()
        assert 'href="/me/account/devices/devices.css"' in page


def test_another_session_engine_is_named() -> None:
    request = HttpRequest()
    request.method = "GET"
    request.session = t.cast(t.Any, {})
    with pytest.raises(ImproperlyConfigured, match=r"django_sessionkit\.engine"):
        devices.devices(request)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("is_atomic", [True, False])
def test_sessions_in_the_projects_database(
    is_atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)

    with override_settings(SESSIONKIT={"STORE": "django:"}):
        name = f"atomic {is_atomic}"
        here, there, _ = log_in(name), log_in(name), log_in(name)
        assert len(names(press(here, end=public_ids(text(here))[0]))) == 2
        assert len(names(press(here, others="1"))) == 1
        assert there.get(PAGE).status_code == 403
