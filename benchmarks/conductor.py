"""Starts the servers and one process for each implementation, and lets them run in turn."""

from __future__ import annotations

import collections
import collections.abc as cabc
import contextlib
import json
import random
import select
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from tests.servers import PostgreSQLServer
from tests.servers import RedisServer
from tests.servers.memcached import MemcachedServer
from tests.servers.process import Server

from .contestants import Contestant
from .counting import CountingProxy
from .counting import proxies
from .scenarios import SCENARIOS
from .site import Places

ROOT = Path(__file__).resolve().parents[1]

#: Requests that are counted; they are all alike, but for one that does some cleaning up.
_COUNTED = 5

_PROGRAM = "from benchmarks.worker import main; main()"

#: Seconds for a batch.
_PATIENCE = 30

#: What a cookie holds at most is not enough for these, and nobody writes into another's cookie.
_NOT_IN_COOKIES = {"read-100k", "write-100k", "contended"}


class Trouble(Exception):
    """An implementation does not run."""


class Player:
    """The process of one implementation."""

    def __init__(self, contestant: Contestant, places: Places, seconds: float, count: bool) -> None:
        self.contestant = contestant
        # Last on the path, so that in tests the sessionkit that is installed is the one.
        program = f"import sys; sys.path.append({str(ROOT)!r})\n{_PROGRAM}"
        with Path(places.folder, "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", program],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        order = {"title": contestant.title, "places": places._asdict()}
        self._say("build", {**order, "seconds": seconds, "count": count})

    def ready(self) -> None:
        self._hear()

    def ask(self, *command: object) -> t.Any:
        self._say(*command)
        return self._hear()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _say(self, *command: object) -> None:
        assert self._process.stdin is not None
        # Who has ended is found out by listening.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()

    def _hear(self) -> t.Any:
        assert self._process.stdout is not None
        answered, _, _ = select.select([self._process.stdout], [], [], _PATIENCE)
        if not answered:
            self._process.kill()
            raise Trouble(f"it did not answer within {_PATIENCE} seconds")
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "its process has ended"}
        if isinstance(answer, dict) and "error" in answer:
            raise Trouble(answer["error"])
        return answer


@contextlib.contextmanager
def all_places() -> cabc.Iterator[tuple[Path, dict[str, Server]]]:
    """Start the servers; yield a folder, and them by their names."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        servers: dict[str, Server] = {
            "redis": stack.enter_context(RedisServer()),
            "memcached": stack.enter_context(MemcachedServer(["-m", "1024", "-I", "8m"])),
            "postgres": stack.enter_context(PostgreSQLServer(durable=True)),
        }
        yield folder, servers


def places_for(
    name: str, folder: Path, servers: dict[str, Server], ports: dict[str, int] | None = None
) -> Places:
    """Return the stores of one implementation, in a folder of its own; perhaps through proxies."""
    own = folder / name
    own.mkdir()
    urls = {
        kind: server.url.replace(str(server.port), str((ports or {}).get(kind, server.port)))
        for kind, server in servers.items()
    }
    return Places(str(own), **urls)


def plays(contestant: Contestant, scenario: str) -> bool:
    """Say whether an implementation takes part in a scenario."""
    if contestant.store in ("cookie", "encrypted") and scenario in _NOT_IN_COOKIES:
        return False
    return contestant.kind != "raw" or scenario not in (
        *("untouched", "untouched-cookie", "contended"),
    )


class Counts(t.NamedTuple):
    """What one request does."""

    commands: list[str]
    round_trips: int

    def __str__(self) -> str:
        names = [
            name if number == 1 else f"{name}x{number}"
            for name, number in collections.Counter(self.commands).items()
        ]
        return " ".join(names) or "0"


Troubles = dict[str, str]
CountTable = dict[str, dict[str, Counts]]
Rounds = dict[str, dict[str, list[dict[str, float]]]]


def count_all(
    contestants: cabc.Iterable[Contestant],
    scenarios: cabc.Iterable[str],
    folder: Path,
    servers: dict[str, Server],
    troubles: Troubles,
) -> CountTable:
    """Count what a request of each implementation does in each scenario."""
    table: CountTable = {}
    wanted = [name for name in scenarios if name != "contended"]
    with proxies({kind: server.port for kind, server in servers.items()}) as between:
        ports = {kind: proxy.port for kind, proxy in between.items()}
        for contestant in contestants:
            if contestant.kind in ("bare", "raw"):
                continue
            title = contestant.title
            player = Player(
                contestant, places_for(f"count-{_safe(title)}", folder, servers, ports), 0.0, True
            )
            try:
                player.ready()
                table[title] = {}
                for name in wanted:
                    if plays(contestant, name):
                        table[title][name] = count(player, name, list(between.values()))
            except Trouble as trouble:
                troubles[title] = str(trouble)
            finally:
                player.end()
    return table


def count(player: Player, scenario: str, between: list[CountingProxy]) -> Counts:
    """Count what a request does; of several, what most of them do."""
    player.ask("prepare", scenario, _COUNTED)
    seen: collections.Counter[tuple[tuple[str, ...], int]] = collections.Counter()
    for _ in range(_COUNTED):
        for proxy in between:
            proxy.reset()
        local = player.ask("one")
        commands = [name for proxy in between for name in proxy.commands]
        seen[(*commands, *local), sum(proxy.round_trips for proxy in between)] += 1
    ((names, round_trips), _), *_ = seen.most_common(1)
    return Counts(list(names), round_trips)


def time_all(
    contestants: cabc.Sequence[Contestant],
    scenarios: cabc.Sequence[str],
    rounds: int,
    seconds: float,
    folder: Path,
    servers: dict[str, Server],
    troubles: Troubles,
    twins: cabc.Collection[str] = (),
) -> Rounds:
    """Let all run round by round, in another order each time.

    :param twins: titles of implementations that run twice, as if they were two: how far their
        figures are apart is what the method does not see.
    """
    measured: Rounds = {}
    players: dict[str, Player] = {}
    try:
        for contestant in contestants:
            title = contestant.title
            for name in [title, *([f"{title} again"] if title in twins else [])]:
                places = places_for(_safe(name), folder, servers)
                players[name] = Player(contestant, places, seconds, False)
                measured[name] = {}
        for name, player in list(players.items()):
            try:
                player.ready()
            except Trouble as trouble:
                troubles[name] = str(trouble)
                player.end()
                del players[name]
        for number in range(rounds + 1):
            started = time.monotonic()
            for scenario in scenarios:
                for name in random.sample(list(players), len(players)):
                    player = players[name]
                    if f"{name} {scenario}" in troubles or not plays(player.contestant, scenario):
                        continue
                    try:
                        result = player.ask("time", scenario)
                    except Trouble as trouble:
                        troubles[f"{name} {scenario}"] = str(trouble)
                        continue
                    if number:  # the first is for warming up
                        measured[name].setdefault(scenario, []).append(result)
            took = time.monotonic() - started
            print(f"round {number} of {rounds}: {took:.0f} s", file=sys.stderr, flush=True)
    finally:
        for player in players.values():
            player.end()
    return measured


def _safe(title: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in title)


def known(scenarios: cabc.Iterable[str]) -> list[str]:
    """Return these scenarios in the order of the tables."""
    wanted = set(scenarios)
    return [name for name in SCENARIOS if not wanted or name in wanted]
