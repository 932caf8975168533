"""The engine under Django's own middleware, which keeps its own rules."""

from __future__ import annotations

import typing as t

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from sessionkit.errors import StoreUnavailable
from tests.spies import Spy

from .conftest import Site
from .conftest import session_of
from .conftest import use_middleware


@pytest.fixture(autouse=True)
def stock() -> t.Iterator[None]:
    with use_middleware("stock"):
        yield


def put(request: t.Any) -> None:
    request.session["a"] = 1


def show(request: t.Any) -> object:
    return sorted(request.session.items())


@pytest.mark.usefixtures("store")
def test_the_cookie_holds_the_bare_key(site: Site) -> None:
    browser = site(put=put, show=show)
    browser.get("/put")
    assert browser.cookies["sessionid"].value == session_of(browser).session_key
    assert browser.get("/show").content == b"[('a', 1)]"


def test_a_nested_change_is_saved(site: Site, spy: Spy) -> None:
    def start(request: t.Any) -> None:
        request.session["cart"] = []

    def add(request: t.Any) -> None:
        request.session["cart"].append("tea")

    browser = site(start=start, add=add)
    browser.get("/start")
    browser.get("/add")
    assert session_of(browser)["cart"] == ["tea"]


def test_a_replaced_key_is_not_answered_with_a_deletion(site: Site, spy: Spy) -> None:
    browser = site(put=put, show=show, renew=lambda request: request.session.cycle_key())
    browser.get("/put")
    late = site.browser()
    late.cookies.update(browser.cookies)
    browser.get("/renew")
    response = late.get("/show")
    assert response.content == b"[]"
    assert "sessionid" not in response.cookies
    assert browser.get("/show").content == b"[('a', 1)]"


def test_a_late_write_is_answered_400_as_by_django(site: Site, spy: Spy) -> None:
    def late(request: t.Any) -> None:
        request.session["late"] = 1
        other = Client()
        other.cookies.update(browser.cookies)
        other.get("/end")

    browser = site(put=put, late=late, end=lambda request: request.session.flush())
    browser.get("/put")
    response = browser.get("/late")
    assert response.status_code == 400
    assert "sessionid" not in response.cookies


def test_who_loses_the_race_of_renewals_is_answered_and_keeps_the_cookie(
    site: Site, spy: Spy
) -> None:
    def renew(request: t.Any) -> object:
        read = request.session["a"]

        if "inner" not in request.GET:
            other = Client()
            other.cookies.update(browser.cookies)
            other.get("/renew?inner")

        request.session.cycle_key()
        request.session["b"] = 1
        return read

    browser = site(put=put, renew=renew)
    browser.get("/put")
    response = browser.get("/renew")
    assert (response.status_code, response.content) == (200, b"1")
    assert "sessionid" not in response.cookies


def test_cookies_of_the_applications_own_are_refused(site: Site) -> None:
    def choose(request: t.Any) -> None:
        with pytest.raises(ImproperlyConfigured, match="SessionMiddleware"):
            request.session.set_cookie("theme", "dark")

    assert site(choose=choose).get("/choose").status_code == 200


def test_clear_ends_what_there_was(site: Site, spy: Spy) -> None:
    browser = site(put=put, clear=lambda request: request.session.clear())
    browser.get("/put")
    old = session_of(browser).session_key
    browser.get("/clear")
    assert not session_of(browser).exists(old)
    assert session_of(browser).load() == {}


def test_an_outage_deletes_no_cookie(site: Site, spy: Spy) -> None:
    browser = site(put=put, show=show)
    browser.get("/put")
    spy.down = True

    with pytest.raises(StoreUnavailable):
        browser.get("/show")

    browser.raise_request_exception = False
    response = browser.get("/show")
    assert response.status_code == 500
    assert "sessionid" not in response.cookies
