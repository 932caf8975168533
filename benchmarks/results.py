"""What was measured, as it is kept, and the figures that follow from it."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import importlib.metadata
import os
import platform
import sqlite3
import statistics
import subprocess
import time
import typing as t

from tests.servers.process import Server

from .conductor import Counts
from .conductor import CountTable
from .conductor import Rounds
from .conductor import Troubles
from .contestants import Contestant
from .contestants import list_all
from .footprint import Import
from .growth import Growth
from .method import Figure
from .scenarios import SCENARIOS

_LIBRARIES = (
    *("flask", "werkzeug", "itsdangerous", "flask-session", "cachelib", "flask-sqlalchemy"),
    *("sqlalchemy", "django", "django-redis", "beaker", "pyramid", "pyramid-session-redis"),
    *("redis", "hiredis", "pymemcache", "python-memcached", "psycopg", "ormsgpack", "msgspec"),
    *("cryptography",),
)


@dataclasses.dataclass
class Machine:
    """What was measured on, and with which versions."""

    date: str
    description: str
    pinned: int | None
    load_before: float
    versions: list[str]
    load_after: float = 0.0
    seconds: float = 0.0
    rounds: int = 0

    @classmethod
    def of_this(cls, pinned: int | None, load: float) -> Machine:
        versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
        return cls(
            time.strftime("%Y-%m-%d"),
            f"{os.cpu_count()} CPUs ({_cpu()}), {platform.system()}",
            pinned,
            load,
            [f"Python {platform.python_version()}", *versions, f"SQLite {sqlite3.sqlite_version}"],
        )

    def add_servers(self, servers: dict[str, Server]) -> None:
        for server in servers.values():
            done = subprocess.run(
                [server.program, "--version"], capture_output=True, text=True, check=False
            )
            self.versions.append(done.stdout.strip().partition(" sha=")[0])

    def finish(self, seconds: float, rounds: int) -> None:
        self.seconds, self.rounds = seconds, rounds
        self.load_after = os.getloadavg()[0]


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:  # noqa: PTH123
            names = [line.partition(":")[2].strip() for line in info if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.machine()


@dataclasses.dataclass
class Results:
    """One run."""

    machine: Machine
    counts: CountTable
    rounds: Rounds
    troubles: Troubles
    #: Whether nothing was left out, so that it may go into the documentation.
    complete: bool
    memory: dict[str, float] = dataclasses.field(default_factory=dict)
    imports: dict[str, Import] = dataclasses.field(default_factory=dict)
    numbers: Growth = dataclasses.field(default_factory=dict)
    sizes: Growth = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, t.Any]) -> Results:
        found["machine"] = Machine(**found["machine"])
        found["counts"] = {
            title: {name: Counts(*counts) for name, counts in row.items()}
            for title, row in found["counts"].items()
        }
        found["imports"] = {
            name: Import(ms, modules, [(p, us) for p, us in dearest])
            for name, (ms, modules, dearest) in found["imports"].items()
        }
        return cls(**found)

    @property
    def scenarios(self) -> list[str]:
        done = {name for row in self.rounds.values() for name in row}
        return [name for name in SCENARIOS if name in done]

    def contestants(self, framework: str, *kinds: str) -> list[Contestant]:
        return [
            one
            for one in list_all()
            if one.framework == framework and one.kind in kinds and self.rounds.get(one.title)
        ]

    def whole(self, title: str, scenario: str) -> Figure | None:
        """Return the microseconds of a request."""
        rounds = self.rounds.get(title, {}).get(scenario)
        return Figure.of([one["us"] for one in rounds]) if rounds else None

    def overhead(self, contestant: Contestant, scenario: str) -> Figure | None:
        """Return the microseconds that it adds to the framework; of the raw client, all of them.

        Taken within each round, then the median.
        """
        rounds = self.rounds.get(contestant.title, {}).get(scenario)
        if contestant.framework == "raw":
            return self.whole(contestant.title, scenario)
        bare = self.rounds.get(f"bare/{contestant.framework}/none", {}).get(scenario)
        if not rounds or not bare:
            return None
        pairs = zip(rounds, bare, strict=False)
        return Figure.of([one["us"] - other["us"] for one, other in pairs])

    def cheapest(
        self, framework: str, store: str, scenario: str
    ) -> tuple[Contestant, Figure] | None:
        """Return the peer that adds least."""
        found = [
            (one, overhead)
            for one in self.contestants(framework, "peer")
            if one.store == store and (overhead := self.overhead(one, scenario)) is not None
        ]
        return min(found, key=lambda pair: pair[1].median, default=None)

    def twins(self) -> cabc.Iterator[tuple[str, float, float]]:
        """Yield those that ran twice, and between what their ratios are."""
        for title, row in self.rounds.items():
            again = self.rounds.get(f"{title} again")
            if again:
                ratios = [
                    t.cast("Figure", self.whole(f"{title} again", name)).median
                    / t.cast("Figure", self.whole(title, name)).median
                    for name in row
                    if name in again and name != "contended"
                ]
                yield title, min(ratios), max(ratios)

    def spread(self) -> tuple[float, float]:
        """Return the distance of the quartiles by the median, in the middle and at the 90 %."""
        shares = sorted(
            figure.spread / figure.median
            for title, row in self.rounds.items()
            for name in row
            if name != "contended" and (figure := self.whole(title, name)) is not None
        )
        return statistics.median(shares), shares[int(len(shares) * 0.9)]
