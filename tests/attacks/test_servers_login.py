"""A login form that is sent twice: logged in whichever answer the browser keeps, and no error."""

from __future__ import annotations

import collections.abc as cabc
import itertools
import typing as t

import pytest

from tests.servers import wsgi

from .sites.browser import Answer
from .sites.browser import Browser
from .sites.browser import Started
from .sites.cases import CASES as EVERYTHING
from .sites.cases import Case
from .sites.cases import Site
from .sites.cases import served
from .sites.gate import Gate
from .website import SOAK

pytestmark = pytest.mark.attack

LOGINS = 60 if SOAK else 9

FIELDS = {"flask": "csrf_token", "wsgi": "no_token"}


class Protected(t.NamedTuple):
    """A case, and where Django keeps the tokens of its forms."""

    case: Case
    csrf: str

    def __str__(self) -> str:
        return f"{self.case}, token in {self.csrf}"


if SOAK:
    CASES = [
        Protected(case, csrf)
        for case, csrf in itertools.product(EVERYTHING, ("cookie", "session"))
        if csrf == "session" or case.site.startswith("django")
    ]
else:
    CASES = [
        Protected(Case(wsgi.GunicornThreads, "flask", "redis"), "session"),
        Protected(Case(wsgi.GunicornSync, "django", "sqlite"), "cookie"),
        Protected(Case(wsgi.GunicornGevent, "django", "redis"), "session"),
        Protected(Case(wsgi.UWSGI, "django-stock", "redis"), "cookie"),
        Protected(Case(wsgi.GunicornThreads, "django-stock", "sqlite"), "session"),
        Protected(Case(wsgi.Waitress, "wsgi", "sqlite"), "session"),
    ]


@pytest.fixture(scope="module", params=CASES, ids=str)
def site(request: pytest.FixtureRequest) -> cabc.Iterator[Site]:
    with served(request.param.case, request, SITE_CSRF=request.param.csrf) as running:
        yield running


def field(site: Site) -> str:
    return FIELDS.get(site.case.site, "csrfmiddlewaretoken")


def held(browser: Browser, form: dict[str, str]) -> list[Answer]:
    """Both have passed the check of the token, and have used the session, before either goes on."""
    with Gate() as gate:
        sent = [Started(browser.ask, "/login", form, user=1, gate=gate.port) for _ in range(2)]
        gate.wait_for(2)
        gate.open()
        return [one.answer() for one in sent]


def at_once(browser: Browser, form: dict[str, str]) -> list[Answer]:
    sent = [Started(browser.ask, "/login", form, user=1) for _ in range(2)]
    return [one.answer() for one in sent]


def one_by_one(browser: Browser, form: dict[str, str]) -> list[Answer]:
    """The second request was sent before the first one was answered, and is late."""
    return [browser.ask("/login", form, user=1) for _ in range(2)]


def test_a_login_form_sent_twice(site: Site) -> None:
    for _, send in zip(range(LOGINS), itertools.cycle([held, at_once, one_by_one]), strict=False):
        browser = site.browser()
        browser.visit("/put", cart="tea")
        token = browser.visit("/form").text
        answers = send(browser, {field(site): token})
        assert [answer.status for answer in answers] == [200, 200]
        assert browser.is_anonymous or browser.data() == {}

        for order in (answers, answers[::-1]):
            receiver = browser.twin()
            receiver.keep(*order)
            assert receiver.visit("/who").text == "1"
            form = {field(site): receiver.visit("/form").text}
            assert receiver.ask("/put", form, after="1").status == 200
            assert receiver.data()["after"] == "1"
