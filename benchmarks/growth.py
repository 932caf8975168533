"""How sessionkit's figures grow: with the number of sessions, and with the size of one."""

from __future__ import annotations

import collections.abc as cabc
import random
import secrets
import statistics
import sys
import time
import typing as t
from pathlib import Path

from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit.store import Record
from sessionkit.stores import open_store
from sessionkit.tokens import digest
from sessionkit.tokens import sign
from tests.servers.process import Server

from . import frameworks
from .contestants.ours import SECRETS
from .contestants.ours import WSGIFace
from .contestants.ours import store_url
from .method import measure
from .scenarios import content
from .scenarios import history
from .site import Places
from .site import Site
from .site import make_environ

#: How many requests a figure is the median of.
_REQUESTS = 400

#: More would take too long here; benchmarks/many.py has the time.
_AT_MOST = {"file": 100_000, "postgres": 100_000, "memcached": 100_000}

SIZES = {"1 KB": 0, "10 KB": 9, "100 KB": 99, "1 MB": 1000}

#: By store: microseconds of each scenario at each position.
Growth = dict[str, dict[str, list[float]]]


class _Filled:
    """A store that is filled with one record again and again, under ids of their own."""

    def __init__(self, url: str) -> None:
        self.store: t.Any = open_store(url)
        # A commit to the disk for each would take most of the time.
        quick = "&synchronous_commit=off" if url.startswith("postgres") else ""
        self._filler: t.Any = open_store(url + quick) if quick else self.store
        if hasattr(self.store, "create_schema"):
            self.store.create_schema()
        policy = SessionPolicy(max_payload=8 * 1024 * 1024)
        self._manager = SessionManager(self.store, secrets=SECRETS, policy=policy)
        self.site = Site(SessionMiddleware(frameworks.wsgi(WSGIFace()), self._manager))
        self._ids: list[str] = []
        self._count = 0
        self._record = self._first()

    def _first(self) -> Record:
        session_id = self._manager.verify(self.site.browser("small").partition("=")[2])
        assert session_id is not None
        found = self.store.get(digest(session_id))
        return Record(*found)

    def fill(self, count: int) -> None:
        payload, _, expires_at, _ = self._record
        swap, token = self._filler.swap, secrets.token_urlsafe
        while self._count < count:
            session_id = token(30)
            # A copy, since a store in this process would else hold the same bytes a million times.
            swap(digest(session_id), None, Record(bytes(bytearray(payload)), 1, expires_at))
            self._count += 1
            if len(self._ids) < _REQUESTS:
                self._ids.append(session_id)
            elif random.randrange(self._count) < _REQUESTS:
                self._ids[random.randrange(_REQUESTS)] = session_id

    def measure(self) -> dict[str, float]:
        """Return the median microseconds of requests to sessions all over the store."""
        cookies = [f"sid={sign(session_id, SECRETS)}" for session_id in self._ids]
        return {
            "read": self._median(make_environ("/read", cookie) for cookie in cookies),
            "write": self._median(make_environ("/write", cookie) for cookie in cookies),
            "create": self._median(make_environ("/create", None) for _ in range(_REQUESTS)),
        }

    def measure_size(self, kilobytes: int) -> dict[str, float]:
        """Return the median microseconds of requests to one session of that size."""
        session = self._manager.open(None)
        session.update(content())
        if kilobytes:
            session["history"] = history(kilobytes)
        made = self._manager.commit(session)
        assert made is not None
        cookie = self._manager.cookie.header(made, https=False).partition(";")[0]
        return {
            name: self._median(make_environ(f"/{name}", cookie) for _ in range(100))
            for name in ("read", "write")
        }

    def _median(self, environs: cabc.Iterable[t.Any]) -> float:
        return statistics.median(measure(self.site, list(environs)))

    def close(self) -> None:
        for store in (self.store, self._filler):
            getattr(store, "close", lambda: None)()


def places(folder: Path, servers: dict[str, Server]) -> Places:
    folder.mkdir()
    return Places(str(folder), **{name: server.url for name, server in servers.items()})


def by_number(where: Places, numbers: cabc.Sequence[int], stores: cabc.Sequence[str]) -> Growth:
    """Measure requests while there are so many sessions."""
    grown: Growth = {}
    for store in stores:
        filled = _Filled(store_url(where, store))
        grown[store] = {"read": [], "write": [], "create": []}
        for number in numbers:
            if number > _AT_MOST.get(store, number):
                break
            started = time.monotonic()
            filled.fill(number)
            for name, us in filled.measure().items():
                grown[store][name].append(us)
            took = time.monotonic() - started
            print(f"{store}, {number} sessions: {took:.0f} s", file=sys.stderr, flush=True)
        filled.close()
    return grown


def by_size(where: Places, stores: cabc.Sequence[str]) -> Growth:
    """Measure requests that read or write one small key of a session of such a size."""
    grown: Growth = {}
    for store in stores:
        filled = _Filled(store_url(where, store))
        grown[store] = {"read": [], "write": []}
        for kilobytes in SIZES.values():
            for name, us in filled.measure_size(kilobytes).items():
                grown[store][name].append(us)
        filled.close()
    return grown
