"""The process of one implementation: does what it is told line by line, and answers in JSON."""

from __future__ import annotations

import collections.abc as cabc
import gc
import json
import logging
import os
import sys
import traceback
import typing as t
from pathlib import Path

from .contestants import list_all
from .counting import LocalCounts
from .method import Batches
from .method import measure
from .scenarios import SCENARIOS
from .site import Places


class Worker:
    """Commands that the conductor gives."""

    def __init__(self, order: dict[str, t.Any]) -> None:
        contestant = next(one for one in list_all() if one.title == order["title"])
        self._local = LocalCounts() if order["count"] else None
        self._site = contestant.build(Places(**order["places"]))
        self._batches = Batches(self._site, order["seconds"])
        self._prepared: cabc.Iterator[t.Any] = iter(())

    def time(self, name: str) -> dict[str, float]:
        """Measure one batch."""
        return self._batches.run(name)

    def prepare(self, name: str, requests: int) -> None:
        """Get the requests of a scenario ready."""
        scenario = SCENARIOS[name]
        self._site.roll(scenario.rolling)
        measure(self._site, self._batches.environs(scenario, 2))
        self._prepared = iter(self._batches.environs(scenario, requests))

    def one(self) -> list[str]:
        """Make one prepared request; return what was done on this machine without a server."""
        assert self._local is not None
        environ = next(self._prepared)
        with self._local as done:
            measure(self._site, [environ])
        return done

    def grow(self, sessions: int) -> float:
        """Create so many sessions; return by how many bytes each of them made the process grow."""
        self._site.roll(False)
        for _ in range(1000):
            self._site.browser("small")
        gc.collect()
        before = _resident()
        for _ in range(sessions):
            self._site.browser("small")
        gc.collect()
        return (_resident() - before) / sessions


def _resident() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


def main() -> None:
    # What they print is no answer; what they log is no part of a request.
    answers, sys.stdout = sys.stdout, sys.stderr
    logging.disable()
    worker: Worker | None = None
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            if name == "build":
                worker = Worker(*arguments)
                answer: object = {"pid": os.getpid()}
            else:
                answer = getattr(worker, name)(*arguments)
        except Exception as error:  # noqa: BLE001 - a peer's trouble is a finding
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
