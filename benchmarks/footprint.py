"""What is paid before and beside the requests: memory of a live session, and time of imports."""

from __future__ import annotations

import collections
import collections.abc as cabc
import statistics
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from tests.servers.process import Server

from .conductor import Player
from .conductor import Trouble
from .conductor import Troubles
from .conductor import places_for
from .contestants import list_all

IMPORTS = (
    "sessionkit",
    "flask",
    "flask_sessionkit",
    "flask_session.redis",
    "django",
    "django_sessionkit",
    "django_sessionkit.engine",
    "django.contrib.sessions.backends.cache",
    "beaker.middleware",
)


def memory(
    folder: Path, servers: dict[str, Server], count: int, troubles: Troubles
) -> dict[str, float]:
    """Return the bytes that each further session of 1 KB takes in the process of its store."""
    taken = {}
    for contestant in list_all():
        if contestant.store != "memory" or contestant.kind == "raw":
            continue
        title = contestant.title
        player = Player(
            contestant,
            places_for(f"memory of {title}".replace("/", " "), folder, servers),
            0,
            False,
        )
        try:
            player.ready()
            taken[title] = float(player.ask("grow", count))
        except Trouble as trouble:
            troubles[f"{title} memory"] = str(trouble)
        finally:
            player.end()
    return taken


class Import(t.NamedTuple):
    """What ``import name`` costs a process that has imported nothing."""

    milliseconds: float
    modules: int
    #: The packages that take most of it, with their milliseconds.
    dearest: list[tuple[str, float]]


def imports(rounds: int) -> dict[str, Import]:
    """Return what the imports cost, the files being in the system's cache."""
    took: dict[str, list[float]] = {name: [] for name in ("", *IMPORTS)}
    for _ in range(rounds + 1):
        for name, times in took.items():
            started = time.perf_counter()
            _python("-c", f"import {name}" if name else "")
            times.append(time.perf_counter() - started)
    nothing = statistics.median(took[""][1:])
    return {
        name: Import((statistics.median(took[name][1:]) - nothing) * 1000, *_dearest(name))
        for name in IMPORTS
    }


def _dearest(name: str) -> tuple[int, list[tuple[str, float]]]:
    lines = _python("-X", "importtime", "-c", f"import {name}").splitlines()
    spent: collections.Counter[str] = collections.Counter()
    before = {
        line.rpartition("|")[2].strip()
        for line in _python("-X", "importtime", "-c", "").splitlines()
    }
    modules = 0
    for line in lines:
        own, _, module = line.removeprefix("import time:").split("|")
        if own.strip().isdigit() and module.strip() not in before:
            spent[module.strip().partition(".")[0]] += int(own)
            modules += 1
    return modules, [(package, us / 1000) for package, us in spent.most_common(6)]


def _python(*arguments: str) -> str:
    command: cabc.Sequence[str] = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr
