"""Users who are served in parallel see their own data, whatever becomes of the others' requests.

Items 56 and 57 of the list of attacks.
"""

from __future__ import annotations

import pytest

from tests.servers import wsgi

from .sites.browser import BROKEN
from .sites.browser import Browser
from .sites.browser import at_once
from .sites.cases import CASES
from .sites.cases import OTHER_STORES
from .sites.cases import Case
from .sites.cases import Site
from .sites.cases import site_fixture
from .website import SOAK

pytestmark = pytest.mark.attack

USERS = 24
ROUNDS = 50 if SOAK else 5

site = site_fixture(
    CASES
    if SOAK
    else (
        Case(wsgi.GunicornGevent, "wsgi", "redis"),
        Case(wsgi.GunicornGevent, "flask", "sqlite"),
        Case(wsgi.GunicornGevent, "django", "redis"),
        Case(wsgi.GunicornThreads, "wsgi", "sqlite"),
    )
)

forked_site = site_fixture(
    CASES
    if SOAK
    else (
        Case(wsgi.UWSGI, "wsgi", "redis"),
        Case(wsgi.GunicornGevent, "django", "redis"),
        Case(wsgi.GunicornGevent, "wsgi", "sqlalchemy (MariaDB)"),
        *OTHER_STORES,
    ),
    preload=True,
    SITE_WARM="1",
)


def is_error(browser: Browser) -> bool:
    try:
        return browser.ask("/fail").status == 500
    except BROKEN:
        return True  # uWSGI answers nothing if an application raises


def visit(site: Site, browser: Browser, user: str) -> set[str]:
    """Use the site for a while; return whom it has taken us for."""
    found = set()

    for number in range(ROUNDS):
        found.add(browser.visit("/mine", key=f"{user}-{number}").text)
        found.add(browser.visit("/who").text)
        assert is_error(browser)

        if site.case.site == "wsgi":
            browser.give_up("/stream")
            found.add(browser.visit("/current").text)

    return found


def nobody_sees_anothers_data(site: Site) -> None:
    users = [str(number) for number in range(1, USERS + 1)]
    browsers = at_once(USERS, site.visitor, users)
    found = at_once(USERS, lambda browser, user: visit(site, browser, user), browsers, users)
    assert found == [{user} for user in users]

    for browser, user in zip(browsers, users, strict=True):
        data = browser.data()
        assert (data["user"], data["last"]) == (user, f"{user}-{ROUNDS - 1}")
        assert "failed" not in data


def test_56_users_in_parallel_see_only_their_own_data(site: Site) -> None:
    nobody_sees_anothers_data(site)


def test_57_processes_that_fork_after_the_first_use_share_no_connection(forked_site: Site) -> None:
    nobody_sees_anothers_data(forked_site)
