"""Workers of gunicorn that serve for months: their memory and their descriptors level off."""

from __future__ import annotations

import os
import random
import time
import typing as t
from pathlib import Path

import pytest

from tests.servers import wsgi

from .sites.browser import Browser
from .sites.browser import at_once
from .sites.cases import CASES
from .sites.cases import Case
from .sites.cases import Site
from .sites.cases import served
from .website import SOAK

pytestmark = [
    pytest.mark.attack,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux' /proc"),
]

#: Requests after as many others that let everything grow to its bound, by so many clients.
SESSIONS, REQUESTS, CLIENTS = (50_000, 200_000, 8) if SOAK else (200, 1_000, 8)

#: In one of so many times that number nothing must grow.
ROUNDS = 4

#: Seconds until a worker has noticed that its clients are gone.
SETTLING = 5.0

#: What they ask for, in percent.
MIX = {"/untouched": 10, "/show": 50, "/increment": 30, "/login": 5, "/renew": 3, "/logout": 2}

#: Bytes a worker: what comes and goes. A request that left a thousand bytes would cost half of it
#: in the small run, and a hundred times as much at night.
SLACK = 2**20

SERVED = (
    [case for case in CASES if issubclass(case.server, wsgi.Gunicorn)]
    if SOAK
    else [
        Case(wsgi.GunicornThreads, "wsgi", "sqlite"),
        Case(wsgi.GunicornSync, "flask", "redis"),
    ]
)


class Usage(t.NamedTuple):
    """What a worker uses: bytes of memory, and open descriptors."""

    memory: int
    descriptors: int


def usage(site: Site) -> dict[int, Usage]:
    """Return what each worker uses, by its number."""
    assert site.server.process is not None
    master = Path(f"/proc/{site.server.process.pid}")
    children = (master / f"task/{master.name}/children").read_text().split()
    assert len(children) == wsgi.PROCESSES
    return {int(child): _usage(Path(f"/proc/{child}")) for child in children}


def _usage(worker: Path) -> Usage:
    pages = int((worker / "statm").read_text().split()[1])
    descriptors = len(list((worker / "fd").iterdir()))
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), descriptors)


def visit(groups: list[list[Browser]], requests: int) -> None:
    """Make so many requests, at once with some browsers of each group."""

    def visit_some(browsers: list[Browser]) -> None:
        for path in random.choices(list(MIX), list(MIX.values()), k=requests // len(groups)):
            browser = random.choice(browsers)
            # Who has logged out logs in.
            browser.visit(path if browser.cookies else "/login", user=1)

    at_once(len(groups), visit_some, groups)


def growth(before: dict[int, Usage], after: dict[int, Usage]) -> Usage:
    """Return the most that a worker has got more."""
    assert after.keys() == before.keys(), "a worker has died"
    memory = max(after[pid].memory - before[pid].memory for pid in before)
    return Usage(memory, max(after[pid].descriptors - before[pid].descriptors for pid in before))


@pytest.mark.timeout(7200 if SOAK else 120)
@pytest.mark.parametrize("case", SERVED, ids=str)
def test_memory_and_descriptors_of_the_workers_level_off(
    case: Case, request: pytest.FixtureRequest
) -> None:
    with served(case, request) as site:
        groups = [[site.browser() for _ in range(SESSIONS // CLIENTS)] for _ in range(CLIENTS)]
        at_once(
            CLIENTS, lambda group: [browser.visit("/login", user=1) for browser in group], groups
        )
        visit(groups, REQUESTS)

        # As many threads as there are use the store at once sooner or later, and then never more.
        for _ in range(ROUNDS):
            before = usage(site)
            visit(groups, REQUESTS)
            give_up = time.monotonic() + SETTLING

            # It takes a moment until a worker has noticed that a client is gone.
            while (grown := growth(before, usage(site))).descriptors > 0:
                if time.monotonic() > give_up:
                    break
                time.sleep(0.1)

            if grown.descriptors <= 0 and grown.memory < SLACK:
                return

        pytest.fail(f"in each of {ROUNDS} rounds it grew, in the last by {grown}")
