"""How a figure comes about: batches of requests, interleaved; medians and their spread; one CPU."""

from __future__ import annotations

import collections.abc as cabc
import gc
import os
import statistics
import threading
import time
import typing as t

from .scenarios import SCENARIOS
from .scenarios import WRITERS
from .scenarios import Scenario
from .site import Answer
from .site import Environ
from .site import Site
from .site import make_environ

#: Requests of a batch: enough for a median, few enough for many rounds.
FEWEST, MOST = 5, 150

#: Requests of each writer, where several write the same session at once.
WRITES = 10

_WARM_UP = 3


def pin() -> int | None:
    """Keep this process, and all that it starts from now on, on one CPU; return which.

    A round trip to a server on another CPU takes four times as long whenever that one sleeps.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return cpu


class Batches:
    """The requests to one implementation, in its own process.

    :param seconds: about how long a batch takes.
    """

    def __init__(self, site: Site, seconds: float) -> None:
        self._site = site
        self._seconds = seconds
        self._requests: dict[str, int] = {}
        self._cookies: dict[str, str] = {}

    def run(self, name: str) -> dict[str, float]:
        """Return the median microseconds of a request; more where several write at once."""
        scenario = SCENARIOS[name]
        self._site.roll(scenario.rolling)
        if name == "contended":
            return self._contend()
        requests = self._requests.get(name)
        if requests is None:
            took = statistics.median(measure(self._site, self.environs(scenario, _WARM_UP + 4)))
            requests = int(min(MOST, max(FEWEST, self._seconds * 1e6 / took)))
            self._requests[name] = requests
        environs = self.environs(scenario, _WARM_UP + requests)
        gc.collect()
        return {"us": statistics.median(measure(self._site, environs)[_WARM_UP:])}

    def environs(self, scenario: Scenario, count: int) -> list[Environ]:
        """Return the requests of a scenario, before time is taken."""
        if scenario.cookie == "none":
            return [make_environ(scenario.path, self._site.newcomer()) for _ in range(count)]
        if scenario.once:
            browser = self._site.browser
            return [make_environ(scenario.path, browser(scenario.cookie)) for _ in range(count)]
        cookie = self._cookies.get(scenario.cookie)
        if cookie is None:
            cookie = self._cookies[scenario.cookie] = self._site.browser(scenario.cookie)
        return [make_environ(scenario.path, cookie) for _ in range(count)]

    def _contend(self) -> dict[str, float]:
        """Let threads write keys of their own into one session, and see how many writes stay."""
        cookie = self._site.browser("small")
        app = self._site.app
        failures: list[object] = []
        start = threading.Barrier(WRITERS + 1)

        def write(number: int) -> None:
            environs = [make_environ(f"/writer{number}", cookie) for _ in range(WRITES)]
            start.wait()
            for environ in environs:
                answer = Answer()
                try:
                    answer.run(app, environ)
                except Exception as error:  # noqa: BLE001 - peers raise what they like
                    failures.append(error)
                if not answer.status.startswith("200"):
                    failures.append(answer.status)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        start.wait()
        started = time.perf_counter()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - started
        written = WRITERS * WRITES
        kept = Answer().run(app, make_environ("/kept", cookie))
        return {
            "us": took / written * 1e6,
            "lost": max(0.0, 1 - int(kept) / written),
            "failed": min(1.0, len(failures) / written),
        }


def measure(site: Site, environs: cabc.Iterable[Environ]) -> list[float]:
    """Return the microseconds of each request, until its body is closed."""
    app, clock = site.app, time.perf_counter_ns
    answer = Answer()
    start_response = answer.start
    took = []
    for environ in environs:
        started = clock()
        body = app(environ, start_response)
        for _ in body:
            pass
        if hasattr(body, "close"):
            body.close()
        took.append((clock() - started) / 1000)
    return took


class Figure(t.NamedTuple):
    """What several rounds have shown."""

    median: float
    #: The distance of the quartiles.
    spread: float

    @classmethod
    def of(cls, values: cabc.Sequence[float]) -> Figure:
        if len(values) < 2:
            return cls(values[0], 0.0)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, high - low)
