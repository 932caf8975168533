"""Servers that are stopped, workers that are killed, processes that fork after the first use.

Items 55 and 57 of the list of attacks.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import typing as t

import pytest

from tests.servers import wsgi

from .sites.browser import BROKEN
from .sites.browser import Browser
from .sites.browser import at_once
from .sites.cases import CASES
from .sites.cases import DIAGONAL
from .sites.cases import Case
from .sites.cases import Site
from .sites.cases import served
from .sites.cases import site_fixture
from .sites.gate import PATIENCE
from .website import SOAK

if t.TYPE_CHECKING:
    from typing_extensions import Self

pytestmark = pytest.mark.attack

USERS = 20
LOGINS = 500 if SOAK else 100
KILLS = 30 if SOAK else 4
WRITERS = 6

PRELOADED = (
    CASES
    if SOAK
    else (
        Case(wsgi.GunicornSync, "flask", "sqlite"),
        Case(wsgi.GunicornThreads, "wsgi", "redis"),
        Case(wsgi.GunicornGevent, "wsgi", "sqlite"),
        Case(wsgi.GunicornGevent, "flask", "redis"),
        Case(wsgi.UWSGI, "django", "sqlite"),
        Case(wsgi.UWSGI, "flask", "redis"),
    )
)

site = site_fixture(CASES if SOAK else DIAGONAL)


def test_55_a_login_is_stored_before_the_browser_knows_of_it(site: Site) -> None:
    for number in range(1, LOGINS + 1):
        assert site.visitor(str(number)).visit("/who").text == str(number)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_57_a_restart_logs_nobody_out(site: Site, how: str) -> None:
    browsers = {number: site.visitor(str(number)) for number in range(1, USERS + 1)}
    getattr(site.server, how)()
    site.server.start()

    for number, browser in browsers.items():
        assert browser.visit("/who").text == str(number)


class Writers:
    """Threads that write all the time, and remember what was acknowledged."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.acknowledged: set[str] = set()
        self.statuses: set[int] = set()
        self.counted = 0
        self.sent = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=[n]) for n in range(WRITERS)]

    def _write(self, thread: int) -> None:
        number = 0

        while not self._over.is_set():
            number += 1
            self._ask("/put", f"t{thread}n{number}")
            self._ask("/increment", "count")

    def _ask(self, path: str, key: str) -> None:
        with self._lock:
            self.sent += path == "/increment"

        try:
            answer = self.browser.ask(path, **{key: "1"})
        except BROKEN:
            return

        with self._lock:
            self.statuses.add(answer.status)

            if answer.status == 200:
                self.counted += path == "/increment"
                self.acknowledged.add(key)

    def wait_for_more(self) -> None:
        """Return when some more writes were acknowledged."""
        enough = len(self.acknowledged) + 3 * WRITERS
        give_up = time.monotonic() + PATIENCE

        while len(self.acknowledged) < enough:
            assert time.monotonic() < give_up, "nobody is served any more"
            time.sleep(0.01)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()

        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()

        for thread in self._threads:
            thread.join()


def kill_a_worker(site: Site) -> None:
    os.kill(int(site.browser().visit("/pid").text), signal.SIGKILL)


def test_57_a_killed_worker_loses_nothing_that_was_acknowledged(site: Site) -> None:
    browser = site.visitor()

    with Writers(browser) as writers:
        for _ in range(KILLS):
            writers.wait_for_more()
            kill_a_worker(site)

        writers.wait_for_more()

    found = browser.data()
    assert writers.statuses == {200}
    assert writers.acknowledged - found.keys() == set()
    assert writers.counted <= found["count"] <= writers.sent


@pytest.mark.parametrize("case", PRELOADED, ids=str)
def test_57_a_fork_after_the_first_use(case: Case, request: pytest.FixtureRequest) -> None:
    with served(case, request, preload=True, SITE_WARM="1") as site:
        browser = site.visitor()
        answers = at_once(16, lambda number: browser.ask("/increment"), range(100))
        answers += at_once(16, lambda number: browser.ask("/put", **{f"k{number}": 1}), range(100))
        assert [answer.status for answer in answers] == [200] * 200
        assert browser.data()["count"] == 100
        assert {f"k{number}" for number in range(100)} - browser.data().keys() == set()
