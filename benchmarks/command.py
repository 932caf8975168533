"""The command line, and what is measured in which order."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import typing as t
from pathlib import Path

from . import conductor
from . import footprint
from . import growth
from . import report
from .contestants import Contestant
from .contestants import list_all
from .method import pin
from .results import Machine
from .results import Results
from .scenarios import SCENARIOS

ROOT = Path(__file__).resolve().parents[1]
RAW = ROOT / ".cache" / "bench.json"

#: Who runs twice, so that the method is measured too.
_TWINS = ("sessionkit/wsgi/memory", "sessionkit/wsgi/redis", "Flask-Session/flask/redis")

_GROWING = ("memory", "sqlite", "redis", "postgres", "file", "memcached")
_SIZED = ("memory", "sqlite", "redis", "postgres", "file")


def main(description: str) -> int:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--store", type=_words, default=[], help="some stores, with commas")
    parser.add_argument("--scenario", type=_words, default=[], help="some scenarios")
    parser.add_argument("--rounds", type=int, help="how many")
    parser.add_argument("--again", action="store_true", help="only write the report again")
    options = parser.parse_args()
    for scenario in options.scenario:
        if scenario not in SCENARIOS:
            parser.error(f"there is no scenario {scenario!r}; there are {', '.join(SCENARIOS)}")
    if options.again:
        results = Results.from_json(json.loads(RAW.read_text()))
    else:
        results = _measure(options)
        RAW.write_text(json.dumps(results.to_json()))
    print(report.text(results))
    if results.complete:
        for path in report.write(results, ROOT / "docs"):
            print(f"written: {path.relative_to(ROOT)}")
    return 0


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _measure(options: t.Any) -> Results:
    started = time.time()
    load = os.getloadavg()[0]
    complete = not (options.quick or options.store or options.scenario)
    contestants = [one for one in list_all() if _wanted(one, options.store)]
    scenarios = conductor.known(options.scenario)
    rounds = options.rounds or (3 if options.quick else 12)
    troubles: conductor.Troubles = {}
    machine = Machine.of_this(pin(), load)
    with conductor.all_places() as (folder, servers):
        machine.add_servers(servers)
        _say("counting")
        counts = conductor.count_all(contestants, scenarios, folder, servers, troubles)
        _say(f"timing {len(contestants)} implementations, {rounds} rounds")
        timed = conductor.time_all(
            contestants,
            scenarios,
            rounds,
            0.004 if options.quick else 0.006,
            folder,
            servers,
            troubles,
            _TWINS,
        )
        results = Results(machine, counts, timed, troubles, complete=complete)
        if complete or (options.quick and not options.store and not options.scenario):
            most = 4 if options.quick else 6
            _say("memory and imports")
            results.memory = footprint.memory(folder, servers, 10 ** (most - 2), troubles)
            results.imports = footprint.imports(3 if options.quick else 15)
            _say("growth")
            numbers = [10**power for power in range(3, most + 1)]
            where = growth.places(folder / "sizes", servers)
            results.sizes = growth.by_size(where, _SIZED)
            where = growth.places(folder / "numbers", servers)
            results.numbers = growth.by_number(where, numbers, _GROWING)
    machine.finish(time.time() - started, rounds)
    return results


def _wanted(contestant: Contestant, stores: list[str]) -> bool:
    return not stores or contestant.kind == "bare" or contestant.store in stores


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
