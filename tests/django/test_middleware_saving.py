"""What is saved when the view has answered."""

from __future__ import annotations

import concurrent.futures
import threading
import typing as t

import pytest
from django.http import HttpResponse
from django.test import Client
from django.test import override_settings

from django_sessionkit.engine import SessionStore
from sessionkit import signals
from tests.django.support import cookie_of
from tests.django.support import put
from tests.django.support import show
from tests.django.support import text
from tests.spies import Spy

from .conftest import Site
from .conftest import session_of


def test_requests_at_once_lose_no_key(site: Site, spy: Spy) -> None:
    def meanwhile(request: t.Any) -> str:
        request.session["mine"] = "1"
        browser.get("/put?key=theirs")
        request.session["cart"] = ["tea"]
        return "done"

    browser = site(put=put, meanwhile=meanwhile, show=show)
    browser.get("/put")
    browser.get("/meanwhile")
    assert dict(session_of(browser).items()) == {
        "a": "1",
        "mine": "1",
        "theirs": "1",
        "cart": ["tea"],
    }


@pytest.mark.usefixtures("store")
def test_twenty_requests_in_parallel_lose_no_key(site: Site) -> None:
    browser = site(put=put)
    browser.get("/put")
    barrier = threading.Barrier(20)

    def write(number: int) -> int:
        other = site.browser()
        other.cookies.update(browser.cookies)
        barrier.wait()
        return other.get(f"/put?key=key{number}").status_code

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert set(pool.map(write, range(20))) == {200}

    assert set(session_of(browser).keys()) == {"a", *(f"key{number}" for number in range(20))}


def test_a_nested_change_is_saved(site: Site, spy: Spy) -> None:
    def start(request: t.Any) -> None:
        request.session["cart"] = {"items": []}

    def add(request: t.Any) -> None:
        request.session["cart"]["items"].append("tea")

    browser = site(start=start, add=add)
    browser.get("/start")
    browser.get("/add")
    assert session_of(browser)["cart"] == {"items": ["tea"]}


@pytest.mark.parametrize("end", ["flush", "cycle_key"])
@pytest.mark.parametrize("explicitly", [True, False])
def test_a_late_write_is_dropped_without_an_error(
    site: Site, spy: Spy, end: str, explicitly: bool
) -> None:
    dropped: list[t.Any] = []

    def late(request: t.Any) -> str:
        request.session["late"] = "1"
        other = Client()
        other.cookies.update(browser.cookies)
        other.get("/end")

        if explicitly:
            request.session.save()

        return "fine"

    def receiver(sender: object, **values: t.Any) -> None:
        dropped.append(values["keys"])

    browser = site(put=put, late=late, end=lambda request: getattr(request.session, end)())
    browser.get("/put")

    with signals.dropped.connected_to(receiver):
        response = browser.get("/late")

    assert text(response) == "fine"
    assert cookie_of(response) is None
    assert {"late"} in dropped


def test_an_error_saves_nothing_but_announces_what_was_saved(site: Site, spy: Spy) -> None:
    def fail(request: t.Any) -> HttpResponse:
        request.session["b"] = 1
        return HttpResponse(status=500)

    def renew_and_fail(request: t.Any) -> HttpResponse:
        request.session.cycle_key()
        return HttpResponse(status=500)

    browser = site(put=put, fail=fail, renew_and_fail=renew_and_fail)
    browser.get("/put")
    browser.get("/fail")
    assert session_of(browser).load() == {"a": "1"}
    assert cookie_of(browser.get("/renew_and_fail")) is not None
    assert session_of(browser).load() == {"a": "1"}


def test_an_end_is_an_end_whatever_comes_after(site: Site, spy: Spy) -> None:
    def leave(request: t.Any) -> None:
        request.session.flush()
        raise RuntimeError

    browser = site(put=put, leave=leave)
    browser.raise_request_exception = False
    browser.get("/put")
    key = session_of(browser).session_key
    response = browser.get("/leave")
    assert response.status_code == 500
    assert "Max-Age=0" in (cookie_of(response) or "")
    assert not SessionStore().exists(key)


def test_marked_as_unmodified_it_is_not_saved(site: Site, spy: Spy) -> None:
    def look(request: t.Any) -> None:
        request.session["b"] = 1
        request.session.modified = False

    browser = site(put=put, look=look)
    browser.get("/put")
    browser.get("/look")
    assert "b" not in session_of(browser)


def test_marked_as_modified_it_is_saved_in_any_case(site: Site, spy: Spy) -> None:
    def mark(request: t.Any) -> None:
        request.session.modified = True

    browser = site(put=put, mark=mark)
    browser.get("/put")
    spy.last_calls()
    browser.get("/mark")
    assert spy.last_calls() == ["get", "swap"]
    site.browser().get("/mark")
    assert spy.last_calls() == []


def test_saved_every_request_if_the_setting_says_so(site: Site, spy: Spy) -> None:
    browser = site(put=put, idle=lambda request: "idle")
    browser.get("/put")
    spy.last_calls()

    with override_settings(SESSION_SAVE_EVERY_REQUEST=True):
        assert cookie_of(browser.get("/idle")) is None

    assert spy.last_calls() == ["get", "swap"]
