"""Requests that write at the same time, in two processes: nothing is lost."""

from __future__ import annotations

import functools

import pytest

from .sites.browser import Started
from .sites.browser import at_once
from .sites.cases import ON_EVERY_STORE
from .sites.cases import Site
from .sites.cases import site_fixture
from .sites.gate import Gate
from .website import SOAK

pytestmark = pytest.mark.attack

PAIRS = 1000 if SOAK else 200
HERDS = 20 if SOAK else 3
INCREMENTS = 2000 if SOAK else 400

site = site_fixture(ON_EVERY_STORE)


def test_two_requests_that_write_different_keys_both_survive(site: Site) -> None:
    browser = site.visitor()

    for number in range(PAIRS):
        with Gate() as gate:
            paths = [{f"a{number}": "1"}, {f"b{number}": "1"}]
            pair = [Started(browser.ask, "/put", gate=gate.port, **path) for path in paths]
            gate.wait_for(2)
            gate.open()
            answers = [one.answer() for one in pair]

        assert [answer.status for answer in answers] == [200, 200]
        # Django's own middleware repeats the cookie in every answer.
        assert site.is_stock or [answer.cookies for answer in answers] == [{}, {}]

    found = browser.data()
    assert {f"{side}{number}" for side in "ab" for number in range(PAIRS)} - found.keys() == set()


def test_64_writers_at_once_lose_nothing(site: Site) -> None:
    for _ in range(HERDS):
        browser = site.visitor()
        write = functools.partial(browser.ask, "/put")
        answers = at_once(64, lambda number, ask=write: ask(**{f"k{number}": "1"}), range(64))
        assert [answer.status for answer in answers] == [200] * 64
        assert {f"k{number}" for number in range(64)} - browser.data().keys() == set()


def test_increments_are_counted_exactly(site: Site) -> None:
    browser = site.visitor()
    answers = at_once(16, lambda _: browser.ask("/increment"), range(INCREMENTS))
    assert [answer.status for answer in answers] == [200] * INCREMENTS
    assert browser.data()["count"] == INCREMENTS
