"""The session middleware: the cookie, and the headers beside it."""

from __future__ import annotations

import logging
import typing as t

import pytest
from django.contrib.sessions import middleware as django_middleware
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import RequestFactory
from django.test import override_settings

from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from django_sessionkit.middleware import SessionMiddleware
from sessionkit import current_session
from sessionkit.tokens import verify
from tests.django.support import cookie_of
from tests.django.support import put
from tests.django.support import show
from tests.django.support import text
from tests.spies import Spy

from .conftest import Site
from .conftest import session_of


def test_it_is_one_of_djangos() -> None:
    assert issubclass(SessionMiddleware, django_middleware.SessionMiddleware)


def test_another_engine_is_refused() -> None:
    with (
        override_settings(SESSION_ENGINE="django.contrib.sessions.backends.file"),
        pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"),
    ):
        SessionMiddleware(lambda request: HttpResponse())


@pytest.mark.usefixtures("store")
def test_a_visitor_has_a_session(site: Site) -> None:
    browser = site(put=put, show=show)
    browser.get("/put")
    browser.get("/put?key=b&value=2")
    assert text(browser.get("/show")) == "[('a', '1'), ('b', '2')]"
    assert session_of(browser)["a"] == "1"


def test_an_untouched_session_costs_nothing(site: Site, spy: Spy) -> None:
    browser = site(put=put, idle=lambda request: "idle")
    browser.get("/put")
    spy.last_calls()
    response = browser.get("/idle")
    assert spy.last_calls() == []
    assert cookie_of(response) is None
    assert "Vary" not in response
    assert "Cache-Control" not in response


def test_the_cookie_is_set_by_the_answer_that_creates_the_session_alone(
    site: Site, spy: Spy
) -> None:
    browser = site(put=put, show=show)
    cookie = cookie_of(browser.get("/put"))
    assert cookie is not None
    assert cookie.endswith("; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax")
    assert cookie_of(browser.get("/put?value=2")) is None
    assert cookie_of(browser.get("/show")) is None


def test_the_cookie_is_deleted_by_the_answer_that_ends_the_session_alone(
    site: Site, spy: Spy
) -> None:
    browser = site(put=put, show=show, leave=lambda request: request.session.flush())
    browser.get("/put")
    old = browser.cookies["sessionid"].value
    response = browser.get("/leave")
    assert cookie_of(response) == "sessionid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    assert response.cookies["sessionid"]["max-age"] == 0

    for value in (old, "x" * 40, "rubbish"):
        browser.cookies["sessionid"] = value
        assert cookie_of(browser.get("/show")) is None


def test_clear_ends_the_session_too(site: Site, spy: Spy) -> None:
    browser = site(put=put, clear=lambda request: request.session.clear())
    browser.get("/put")
    assert "Max-Age=0" in (cookie_of(browser.get("/clear")) or "")


def test_deleting_key_by_key_keeps_it(site: Site, spy: Spy) -> None:
    browser = site(put=put, drop=lambda request: request.session.pop("a"), show=show)
    browser.get("/put")
    assert cookie_of(browser.get("/drop")) is None
    assert session_of(browser).session_key == browser.cookies["sessionid"].value


def test_secrets_sign_the_cookie_and_bare_ids_are_read_too(site: Site) -> None:
    with override_settings(SESSIONKIT={"STORE": "memory:", "SECRETS": ["new", "old"]}):
        browser = site(put=put, show=show)
        browser.get("/put")
        value = browser.cookies["sessionid"].value
        bare = verify(value, ["new"], "sessionid")
        assert bare is not None
        assert session_of(browser).session_key == bare
        assert text(browser.get("/show")) == "[('a', '1')]"
        browser.cookies["sessionid"] = bare
        assert text(browser.get("/show")) == "[('a', '1')]"


def test_of_several_cookies_the_first_that_is_live_wins(site: Site, spy: Spy) -> None:
    browser = site(put=put, show=show)
    browser.get("/put")
    live = browser.cookies["sessionid"].value
    header = f"sessionid={'x' * 40}; sessionid={live}"
    assert text(site.browser(headers={"cookie": header}).get("/show")) == "[('a', '1')]"


def test_a_cookie_that_another_middleware_has_put_there_is_used(spy: Spy) -> None:
    session = SessionStore()
    session["a"] = 1
    session.save()
    request = RequestFactory().get("/")
    request.COOKIES["sessionid"] = t.cast(str, session.session_key)
    SessionMiddleware(lambda request: HttpResponse())(request)
    assert request.session["a"] == 1


def test_secure_where_the_request_is_https(site: Site, spy: Spy) -> None:
    browser = site(put=put)
    assert "; Secure" in (cookie_of(browser.get("/put", secure=True)) or "")


def test_a_proxy_that_nobody_handles_is_warned_of(
    site: Site, spy: Spy, caplog: pytest.LogCaptureFixture
) -> None:
    browser = site(put=put)

    with caplog.at_level(logging.WARNING, "sessionkit"):
        browser.get("/put", headers={"x-forwarded-proto": "https"})

    assert "X-Forwarded-Proto" in caplog.text


def test_what_used_the_session_is_private(site: Site, spy: Spy) -> None:
    def public(request: t.Any) -> HttpResponse:
        request.session["a"] = 1
        return HttpResponse(headers={"Cache-Control": "public, max-age=60", "Vary": "Accept"})

    browser = site(show=show, public=public)
    response = browser.get("/show")
    assert (response["Vary"], response["Cache-Control"]) == ("Cookie", "private")
    response = browser.get("/public")
    assert response["Vary"] == "Accept, Cookie"
    assert response["Cache-Control"] == "max-age=60, private"


def test_the_current_session_is_that_of_the_request(site: Site, spy: Spy) -> None:
    def view(request: t.Any) -> bool:
        return current_session() is request.session.core

    assert text(site(view=view).get("/view")) == "True"


def test_a_view_may_put_another_session_in_its_place(site: Site, spy: Spy) -> None:
    def swap(request: t.Any) -> None:
        request.session = SessionStore()
        request.session["b"] = 2

    browser = site(put=put, swap=swap)
    browser.get("/put")
    assert cookie_of(browser.get("/swap")) is not None
    assert session_of(browser).load() == {"b": 2}


def test_the_recipe_for_a_request_with_a_session_works(spy: Spy) -> None:
    request = RequestFactory().get("/")
    SessionMiddleware(lambda request: HttpResponse()).process_request(request)
    request.session["a"] = 1
    request.session.save()
    assert SessionStore(request.session.session_key)["a"] == 1


def test_a_cookie_of_the_applications_own_outlasts_a_loaded_key(spy: Spy) -> None:
    def choose(request: t.Any) -> HttpResponse:
        request.session.set_cookie("theme", "dark")
        request.session.load()
        return HttpResponse()

    response = SessionMiddleware(choose)(RequestFactory().get("/"))
    assert response.cookies["theme"].value == "dark"


def test_one_manager_in_one_process(spy: Spy) -> None:
    assert get_manager() is get_manager()
    assert t.cast(t.Any, get_manager()).store is spy
