"""Starts writers, kills them, and compares what is stored with what they were told."""

from __future__ import annotations

import collections
import collections.abc as cabc
import dataclasses
import fcntl
import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from sessionkit import SessionManager
from sessionkit.payload import Live
from sessionkit.payload import unpack
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Record

from .crash_writer import content

if t.TYPE_CHECKING:
    from typing_extensions import Self

_F_SETPIPE_SZ = 1031
_WRITERS = 3

#: After so many rounds the store is emptied, since each leaves some hundred records.
_ROUNDS_KEPT = 10

#: Whose session it is, and the number of the change that wrote it.
Seen = tuple[str, int]


@dataclasses.dataclass
class Slot:
    """What is known of one session of a writer."""

    acknowledged: Seen | None = None
    cookie: str = ""
    #: The change under way: what there will be if it is made.
    under_way: tuple[Seen | None] | None = None
    owners: set[str] = dataclasses.field(default_factory=set)
    #: Cookies that an acknowledged change has made worthless.
    ended: set[str] = dataclasses.field(default_factory=set)

    def begin(self, operation: str, owner: str, n: int) -> None:
        self.under_way = (None,) if operation == "logout" else ((owner, n),)
        self.owners.add(owner)

    def done(self, cookie: str) -> None:
        assert self.under_way is not None
        (self.acknowledged,) = self.under_way
        self.under_way = None

        if self.cookie and (cookie != self.cookie or self.acknowledged is None):
            self.ended.add(self.cookie)

        self.cookie = cookie if self.acknowledged else ""

    @property
    def allowed(self) -> list[Seen | None]:
        return [self.acknowledged, *(self.under_way or ())]


class Ledger:
    """What the writers have said."""

    def __init__(self) -> None:
        self.slots: dict[tuple[int, int], Slot] = collections.defaultdict(Slot)
        self.counts_begun = 0
        self.counts = 0
        self.changes = 0

    def take(self, number: int, what: str, *rest: t.Any) -> None:
        if what == "begin":
            slot, *change = rest
            self.slots[number, slot].begin(*change)
        elif what == "done":
            slot, cookie = rest
            self.slots[number, slot].done(cookie)
            self.changes += 1
        elif what == "count":
            self.counts_begun += 1
        elif what == "counted":
            self.counts += 1


class Writers:
    """Processes that write to the store of a URL."""

    def __init__(self, url: str) -> None:
        program = Path(__file__).with_name("crash_writer.py")
        self._process = subprocess.Popen(
            [sys.executable, program, url, Counter.session_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert self._process.stdout is not None
        fcntl.fcntl(self._process.stdout, _F_SETPIPE_SZ, 2**20)
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()

    def run(
        self,
        ledger: Ledger,
        longest: float,
        interrupt: cabc.Callable[[], object] | None = None,
    ) -> None:
        """Let three write, and kill each at any instant up to *longest* seconds.

        :param interrupt: called at any such instant too.
        """
        assert self._process.stdin is not None
        numbers = range(self._next, self._next + _WRITERS)
        self._next += _WRITERS
        print(*numbers, file=self._process.stdin)
        pids = [line[2] for line in self._read("pid", ledger)]
        blows: list[cabc.Callable[[], object]] = [
            functools.partial(os.kill, pid, signal.SIGKILL) for pid in pids
        ]

        if interrupt is not None:
            blows.append(interrupt)

        started = time.monotonic()

        for delay, blow in sorted(
            ((random.uniform(0, longest), blow) for blow in blows), key=_first
        ):
            time.sleep(max(0.0, started + delay - time.monotonic()))
            blow()

        for _ in self._read("dead", ledger):
            pass

    def _read(self, what: str, ledger: Ledger) -> cabc.Iterator[list[t.Any]]:
        assert self._process.stdout is not None
        times = _WRITERS

        while times:
            line = json.loads(self._process.stdout.readline())

            if line[1] == what:
                times -= 1
                yield line
            else:
                ledger.take(*line)


def examine(manager: SessionManager, ledger: Ledger) -> None:
    """Compare the store with the ledger."""
    for slot in ledger.slots.values():
        found = [seen for owner in slot.owners for seen in _listed(manager, owner)]
        # Without ``move`` who is killed while renewing may leave the old session and the new one.
        both = slot.under_way is not None and not isinstance(manager.store, Moving)
        assert len(found) <= 1 or (both and sorted(found) == sorted(filter(None, slot.allowed)))
        states: list[Seen | None] = [*found] or [None]
        assert set(states) <= set(slot.allowed), f"{found} of {slot}"

        for cookie in slot.ended:
            assert manager.load(cookie) is None, f"revived: {slot}"

        if slot.cookie and slot.under_way is None:
            session = manager.load(slot.cookie)
            assert session is not None, f"lost: {slot}"
            assert (session.owner, session["n"]) == slot.acknowledged


def _listed(manager: SessionManager, owner: str) -> list[Seen]:
    """Return what the index leads to, and check that the list of sessions shows the same."""
    assert isinstance(manager.store, Owned)
    records = [manager.store.get(key) for key in manager.store.owned_by(owner, time.time())]
    live = [record for record in records if record is not None and record.owner == owner]
    assert len(manager.sessions_of(owner)) == len(live)
    return [seen(manager, record) for record in live]


def seen(manager: SessionManager, record: Record) -> Seen:
    """Decode a record of a writer; fails if it is not what one change has written."""
    live = unpack(record.payload)
    assert isinstance(live, Live)
    values = {key: manager.codec.decode(value) for key, value in live.values.items()}
    assert values["content"] == content(values["n"])
    assert values["owner"] == record.owner
    return values["owner"], values["n"]


def examine_everything(manager: SessionManager) -> None:
    """Read every record there is: each is complete, and the index names it."""
    store = manager.store
    assert isinstance(store, Owned)
    assert isinstance(store, Enumerable)

    for key in list(store.keys()):
        record = store.get(key)
        assert record is not None
        unpack(record.payload)

        if record.owner is not None:
            seen(manager, record)
            assert key in store.owned_by(record.owner, time.time())


def _first(pair: tuple[float, object]) -> float:
    return pair[0]


class Counter:
    """A session that all writers count in."""

    session_id = "counter" * 5

    def __init__(self, manager: SessionManager) -> None:
        self._manager = manager
        self._least = self._most = 0

    def start(self) -> None:
        session = self._manager.start(self.session_id)
        session["count"] = self._least = self._most = 0
        self._manager.commit(session)

    def examine(self, ledger: Ledger) -> None:
        """At least what was acknowledged was counted, at most what was begun."""
        self._least += ledger.counts
        self._most += ledger.counts_begun
        session = self._manager.load(self.session_id)
        assert session is not None
        assert self._least <= session["count"] <= self._most


def attack(
    writers: Writers,
    manager: SessionManager,
    rounds: cabc.Iterable[object],
    longest: float,
    interrupt: cabc.Callable[[], object] | None = None,
    repair: cabc.Callable[[], object] = lambda: None,
) -> int:
    """Kill writers round after round; return how many changes were acknowledged.

    :param repair: called when all are dead.
    """
    counter = Counter(manager)
    counter.start()
    changes = 0

    for number, _ in enumerate(rounds, 1):
        ledger = Ledger()
        writers.run(ledger, longest, interrupt)
        repair()
        examine(manager, ledger)
        counter.examine(ledger)
        changes += ledger.changes

        if number % _ROUNDS_KEPT == 0:
            examine_everything(manager)
            assert isinstance(manager.store, Enumerable)
            manager.store.clear()
            counter.start()

    examine_everything(manager)
    return changes
