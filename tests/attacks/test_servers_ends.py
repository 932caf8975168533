"""Requests that are overtaken by a logout, a renewal or a login: nothing ended comes back."""

from __future__ import annotations

import itertools

import pytest

from .sites.browser import Answer
from .sites.browser import Browser
from .sites.browser import Started
from .sites.cases import ON_EVERY_STORE
from .sites.cases import Site
from .sites.cases import site_fixture
from .sites.gate import Gate
from .website import SOAK

pytestmark = pytest.mark.attack

LOGOUTS = 400 if SOAK else 40
RENEWALS = 200 if SOAK else 20

WRITES = ("/put", "/increment", "/flash", "/save")
LATE = (*WRITES, "/renew", "/touch")

site = site_fixture(ON_EVERY_STORE)


def late_paths(site: Site) -> list[str]:
    # save() raises UpdateError in the view where Django's own middleware is.
    return [path for path in LATE if not (site.is_stock and path == "/save")]


def overtake(browser: Browser, late: str, path: str, **query: object) -> tuple[Answer, Answer]:
    """Hold a request that has used the session, and let another one be answered meanwhile."""
    with Gate() as gate:
        held = Started(browser.ask, late, gate=gate.port, late="1")
        gate.wait_for(1)
        other = browser.ask(path, **query)
        gate.open()
        return held.answer(), other


def race(browser: Browser, *paths: str) -> list[Answer]:
    """Hold requests that have used the session, and let them go at once."""
    with Gate() as gate:
        held = [Started(browser.ask, path, gate=gate.port, late="1") for path in paths]
        gate.wait_for(len(paths))
        gate.open()
        return [one.answer() for one in held]


def test_a_late_request_revives_no_session(site: Site) -> None:
    for _, path in zip(range(LOGOUTS), itertools.cycle(late_paths(site)), strict=False):
        browser = site.visitor()
        late, logout = overtake(browser, path, "/logout")
        assert (logout.status, late.cookies) == (200, {}), path
        assert browser.is_anonymous, path
        browser.keep(logout, late)
        assert browser.is_anonymous, path


def test_a_logout_at_the_same_time_as_others_ends_the_session(site: Site) -> None:
    for _, path in zip(range(LOGOUTS), itertools.cycle(late_paths(site)), strict=False):
        browser = site.visitor()
        answers = race(browser, "/logout", path)
        assert answers[0].status == 200
        assert answers[1].status == 200 or site.is_stock
        assert browser.is_anonymous, path

        for order in (answers, answers[::-1]):
            receiver = browser.twin()
            receiver.keep(*order)
            assert receiver.is_anonymous, path


def test_a_renewal_race_leaves_the_browser_on_the_new_id(site: Site) -> None:
    # Django's own middleware sends the old id with every write, and a browser may get it last.
    rivals = ["/renew", "/touch" if site.is_stock else "/put"]

    for _, rival in zip(range(2 * RENEWALS), itertools.cycle(rivals), strict=False):
        browser = site.visitor()
        browser.visit("/put", before="1")
        answers = race(browser, "/renew", rival)
        assert [answer.status for answer in answers] == [200, 200]
        assert sum(answer.session_id is not None for answer in answers) == 1
        assert browser.is_anonymous

        for order in (answers, answers[::-1]):
            receiver = browser.twin()
            receiver.keep(*order)
            assert receiver.visit("/who").text == "1"
            assert receiver.data()["before"] == "1"


@pytest.mark.parametrize("overtaker", ["/logout", "/renew", "/login"])
def test_no_late_request_gets_an_error_page(site: Site, overtaker: str) -> None:
    for path in late_paths(site):
        late, other = overtake(site.visitor(), path, overtaker, user="2")
        # Django's own middleware says that the session was ended, as it does with any engine.
        interrupted = site.is_stock and path in WRITES
        assert (other.status, late.status) == (200, 400 if interrupted else 200), path
        assert late.cookies == {}, path
