"""How the time of an operation, and the space of a session, grow with the number of sessions.

    python -m benchmarks.many                       every store, 1,000 to 1,000,000 sessions
    python -m benchmarks.many --most 100000 redis   fewer, and one store

Starts the servers that it needs. Prints the table of docs/stores.md.
"""

from __future__ import annotations

import argparse
import collections.abc as cabc
import contextlib
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from sessionkit.store import Record
from sessionkit.stores import open_store
from sessionkit.testing import new_key
from tests import servers
from tests.servers.memcached import MemcachedServer

#: A session of a user: 300 bytes of data, ten sessions an owner.
PAYLOAD = secrets.token_bytes(300)
OWNER_SESSIONS = 10

#: How many operations a figure is the median of, and how many keys are kept to look up.
SAMPLES = 300

OPERATIONS = ("create", "look up", "replace", "list an owner", "sweep 100")


class Place(t.NamedTuple):
    """Where sessions are kept: the URL, and how many bytes they take there; None: unknown."""

    url: str
    space: cabc.Callable[[], int | None]


def _folder_size(folder: Path) -> int:
    done = subprocess.run(["du", "-sb", str(folder)], capture_output=True, check=True, text=True)
    return int(done.stdout.split()[0])


def _resident(pid: int | str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


@contextlib.contextmanager
def memory() -> cabc.Iterator[Place]:
    yield Place("memory:?max_sessions=none", lambda: _resident("self"))


@contextlib.contextmanager
def file() -> cabc.Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        yield Place(f"file:///{folder}/sessions", lambda: _folder_size(Path(folder)))


@contextlib.contextmanager
def sqlite() -> cabc.Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        yield Place(f"sqlite:///{folder}/s.sqlite3", lambda: _folder_size(Path(folder)))


@contextlib.contextmanager
def redis() -> cabc.Iterator[Place]:
    with servers.RedisServer() as server:
        assert server.process is not None
        pid = server.process.pid
        yield Place(server.url, lambda: _resident(pid))


@contextlib.contextmanager
def memcached() -> cabc.Iterator[Place]:
    with MemcachedServer(options=["-m", "4096"]) as server:
        assert server.process is not None
        pid = server.process.pid
        yield Place(server.url, lambda: _resident(pid))


@contextlib.contextmanager
def postgres() -> cabc.Iterator[Place]:
    with servers.PostgreSQLServer() as server:

        def space() -> int:
            ((size,),) = server.execute("SELECT pg_database_size(current_database())")
            return int(size)

        yield Place(server.url, space)


@contextlib.contextmanager
def mariadb() -> cabc.Iterator[Place]:
    with servers.MariaDBServer() as server:
        folder = server.folder
        yield Place("sqlalchemy+" + server.url, lambda: _folder_size(folder))


PLACES = {
    place.__name__: place for place in (memory, file, sqlite, redis, memcached, postgres, mariadb)
}


def timed(operation: cabc.Callable[[], object]) -> float:
    started = time.perf_counter()
    operation()
    return time.perf_counter() - started


class Filling:
    """A store that is being filled, and a sample of what is in it."""

    def __init__(self, store: t.Any) -> None:
        self.store = store
        self.number = 0
        self.sample: dict[str, Record] = {}

    def create(self) -> float:
        key, owner = new_key(), f"user {self.number // OWNER_SESSIONS}"
        record = Record(PAYLOAD, secrets.randbits(32), time.time() + 86400, owner)
        took = timed(lambda: self.store.swap(key, None, record))
        self.number += 1

        if len(self.sample) < SAMPLES:
            self.sample[key] = record
        elif random.randrange(self.number) < SAMPLES:
            self.sample.pop(random.choice(list(self.sample)))
            self.sample[key] = record

        return took

    def measure(self) -> cabc.Iterator[float | None]:
        """Yield the median seconds of each of the operations."""
        yield statistics.median(self.create() for _ in range(SAMPLES))
        yield statistics.median(timed(lambda key=key: self.store.get(key)) for key in self.sample)
        yield statistics.median(self._replace(key) for key in self.sample)

        if hasattr(self.store, "owned_by"):
            owners = [record.owner for record in self.sample.values()]
            now = time.time()
            yield statistics.median(
                timed(lambda owner=owner: self.store.owned_by(owner, now)) for owner in owners
            )
        else:
            yield None

        yield self._sweep() if hasattr(self.store, "sweep") else None

    def _replace(self, key: str) -> float:
        found = self.store.get(key)
        record = found._replace(version=found.version + 1)
        return timed(lambda: self.store.swap(key, found, record))

    def _sweep(self) -> float:
        for _ in range(100):
            self.store.swap(new_key(), None, Record(PAYLOAD, 1, 0.0))

        return timed(lambda: self.store.sweep(time.time(), 100))


def report(name: str, sizes: cabc.Sequence[int]) -> None:
    with PLACES[name]() as place:
        store: t.Any = open_store(place.url)
        getattr(store, "create_schema", lambda: None)()
        filling = Filling(store)
        empty = place.space()

        for size in sizes:
            while filling.number < size:
                filling.create()

            space = place.space()
            each = "–" if space is None or empty is None else f"{(space - empty) / size:,.0f}"
            cells = ["–" if s is None else f"{s * 1e6:,.0f}" for s in filling.measure()]
            print(f"| {name} | {size:,} | {' | '.join(cells)} | {each} |", flush=True)

        getattr(store, "close", lambda: None)()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("stores", nargs="*", choices=[[], *PLACES], default=[])
    parser.add_argument("--most", type=int, default=1_000_000)
    options = parser.parse_args()
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= options.most]
    print(f"| store | sessions | {' | '.join(OPERATIONS)} | bytes a session |")
    print(f"|{' --- |' * (len(OPERATIONS) + 3)}")

    for name in options.stores or PLACES:
        report(name, sizes)


if __name__ == "__main__":
    sys.exit(main())
