"""Why a session is over, and the limit per owner, as a Django project meets them."""

from __future__ import annotations

import time
import typing as t

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import alogin
from django.contrib.auth import login
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http import HttpResponse
from django.test import override_settings

from django_sessionkit import get_manager
from django_sessionkit.checks import check_settings
from django_sessionkit.conf import SettingsError
from django_sessionkit.status import status
from sessionkit.base_manager import BaseManager
from sessionkit.errors import TooManySessions
from sessionkit.stores.memory import MemoryStore
from tests.spies import Spy

from .conftest import Site

LIMITED: dict[str, t.Any] = {"max_sessions_per_owner": 1}
REFUSING: dict[str, t.Any] = {**LIMITED, "at_limit": "refuse"}
BACKEND = "django.contrib.auth.backends.ModelBackend"


class Unlisted(MemoryStore):
    owned_by: t.Any = None


def reason(request: t.Any) -> object:
    request.session["_csrftoken"] = "token"
    return request.session.ended_reason


def entering(user: User) -> t.Callable[[t.Any], t.Any]:
    def enter(request: t.Any) -> str | HttpResponse:
        try:
            login(request, user, BACKEND)
        except TooManySessions as error:
            return HttpResponse(f"{error.count} of {error.limit}", status=403)
        return str(request.user.pk)

    return enter


def who(request: t.Any) -> str:
    return request.user.username or "nobody"


def test_a_login_page_says_why(site: Site, user: User, manager: BaseManager) -> None:
    browser = site(enter=entering(user), reason=reason, status=status)
    browser.get("/enter")
    manager.revoke_all(user.pk)
    assert browser.get("/status").json()["reason"] == "revoked"
    assert browser.get("/reason").content == b"revoked"
    # It has written a token, into a session of its own.
    assert browser.get("/reason").content == b"None"


def test_a_logout_of_what_was_revoked_deletes_the_cookie(
    site: Site, user: User, manager: BaseManager
) -> None:
    browser = site(enter=entering(user), leave=logout)
    browser.get("/enter")
    manager.revoke_all(user.pk)
    assert browser.get("/leave").cookies["sessionid"]["max-age"] == 0
    assert manager.store.count(time.time()) == 1, "only the reason is there"  # type: ignore[attr-defined]


def test_the_status_extends_nothing(site: Site, user: User, spy: Spy) -> None:
    browser = site(enter=entering(user), status=status)
    browser.get("/enter")
    spy.last_calls()

    with override_settings(SESSION_SAVE_EVERY_REQUEST=False):
        answer = browser.get("/status")

    assert answer.json()["state"] == "live"
    assert 14 * 86400 - 5 < answer.json()["seconds_left"] <= 14 * 86400
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"] == "Cookie"
    assert not answer.cookies
    assert spy.last_calls() == ["get"]


def test_the_status_in_an_outage(site: Site, user: User, spy: Spy) -> None:
    browser = site(enter=entering(user), status=status)
    browser.get("/enter")
    spy.down = True
    answer = browser.get("/status")
    assert (answer.status_code, answer.json()["state"]) == (503, "unavailable")
    assert not answer.cookies


def test_the_status_takes_no_other_method(site: Site, spy: Spy) -> None:
    browser = site(status=status)
    assert browser.post("/status").status_code == 405
    assert browser.head("/status").content == b""


def test_the_status_needs_our_engine() -> None:
    request = HttpRequest()
    request.session = t.cast(t.Any, {})
    with pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"):
        status(request)


def test_settings_limit_the_sessions_of_an_owner(site: Site, user: User) -> None:
    with override_settings(SESSIONKIT={"STORE": MemoryStore(), "POLICY": LIMITED}):
        first, second = site(enter=entering(user), reason=reason), site.browser()
        first.get("/enter")
        second.get("/enter")
        assert [browser.get("/reason").content for browser in (first, second)] == [
            b"evicted",
            b"None",
        ]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_settings_refuse_a_login_and_leave_nothing_of_it(
    site: Site, user: User, asynchronous: bool
) -> None:
    def keep(request: t.Any) -> None:
        request.session["cart"] = ["tea"]

    def look(request: t.Any) -> object:
        return dict(request.session), who(request)

    def try_it(request: t.Any) -> str:
        log_in: t.Any = async_to_sync(alogin) if asynchronous else login
        with pytest.raises(TooManySessions):
            log_in(request, user, BACKEND)
        return who(request)

    with override_settings(SESSIONKIT={"STORE": MemoryStore(), "POLICY": REFUSING}):
        first = site(enter=entering(user), keep=keep, look=look, refuse=try_it)
        second = site.browser()
        assert first.get("/enter").status_code == 200
        assert first.get("/enter").status_code == 200, "it counts itself"
        second.get("/keep")
        assert second.get("/refuse").content == b"nobody"
        assert second.get("/look").content == b"({'cart': ['tea']}, 'nobody')"
        assert second.get("/enter").content == b"1 of 1"
        assert len(get_manager().sessions_of(user.pk)) == 1


def test_a_limit_needs_a_store_that_lists() -> None:
    wrong = pytest.raises(SettingsError, match=r"SESSIONKIT\['POLICY'\].*Unlisted cannot")

    with override_settings(SESSIONKIT={"STORE": Unlisted(), "POLICY": LIMITED}), wrong:
        get_manager()

    with override_settings(SESSIONKIT={"STORE": "memcached://127.0.0.1:1", "POLICY": LIMITED}):
        (error,) = check_settings()
        assert "max_sessions_per_owner" in str(error.msg)
