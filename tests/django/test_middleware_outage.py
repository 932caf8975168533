"""A store that is away: a 503 where the session was needed."""

from __future__ import annotations

import typing as t

from django.test import override_settings

from django_sessionkit.middleware import SessionMiddleware
from tests.django.support import cookie_of
from tests.django.support import put
from tests.django.support import show
from tests.django.support import text
from tests.spies import Spy

from .conftest import Site


def test_an_outage_is_a_503_where_the_session_is_needed(site: Site, spy: Spy) -> None:
    browser = site(put=put, show=show, idle=lambda request: "idle")
    browser.get("/put")
    spy.down = True
    response = browser.get("/show")
    assert response.status_code == 503
    assert response["Retry-After"]
    assert response["Cache-Control"] == "no-store"
    assert cookie_of(response) is None
    assert "Retry-After" not in browser.post("/show")
    assert text(browser.get("/idle")) == "idle"
    spy.down = False
    assert text(browser.get("/show")) == "[('a', '1')]"


def test_an_outage_at_the_commit_is_a_503_too(site: Site, spy: Spy) -> None:
    def fall(request: t.Any) -> str:
        request.session["b"] = 1
        spy.down = True
        return "saved"

    browser = site(fall=fall)
    assert browser.get("/fall").status_code == 503


def test_an_outage_met_by_another_middleware_is_a_503(site: Site, spy: Spy) -> None:
    browser = site(put=put)
    browser.get("/put")
    spy.down = True
    browser.raise_request_exception = False

    with override_settings(MIDDLEWARE=[f"{SessionMiddleware.__module__}.SessionMiddleware", Reads]):
        assert browser.get("/put").status_code == 503


Reads = f"{__name__}.reads"


def test_logging_out_during_an_outage_deletes_the_cookie_and_says_so(site: Site, spy: Spy) -> None:
    browser = site(put=put, leave=lambda request: request.session.flush())
    browser.get("/put")
    spy.down = True
    response = browser.get("/leave")
    assert response.status_code == 503
    assert b"could not be told" in response.content
    assert "Max-Age=0" in (cookie_of(response) or "")


def test_an_outage_may_be_an_empty_session(site: Site, spy: Spy) -> None:
    policy = {"STORE": spy, "POLICY": {"outage": "unavailable"}}

    with override_settings(SESSIONKIT=policy):
        browser = site(put=put, show=show, state=lambda request: request.session.state)
        browser.get("/put")
        spy.down = True
        assert text(browser.get("/show")) == "[]"
        assert text(browser.get("/put?value=2")) == "put"
        assert text(browser.get("/state")) == "unavailable"
        spy.down = False
        assert text(browser.get("/show")) == "[('a', '1')]"


def reads(get_response: t.Any) -> t.Any:
    def middleware(request: t.Any) -> t.Any:
        request.session.get("a")
        return get_response(request)

    return middleware
