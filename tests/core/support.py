"""What the tests of the core share: a store that counts and fails on demand, and a browser."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import datetime
import typing as t

import blinker

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.base_manager import BaseManager
from sessionkit.cookie import Delete
from sessionkit.cookie import Instruction
from sessionkit.cookie import Set
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock

#: A moment in 2033.
NOW = 2_000_000_000.0

DAY = 24 * 60 * 60.0

UNKNOWN = "unknown-id-of-forty-characters-unknown-id"

#: The payload of a later version: its format, the kind, the length of the whole, and something.
NEWER = b"\x02L" + (15).to_bytes(8, "big") + b"newer"

View = cabc.Callable[[Session], object]
R = t.TypeVar("R")


class PlainStore:
    """A store with nothing but the three methods. Remembers the calls; fails when it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        self.memory = MemoryStore(clock=clock)
        self.calls: list[str] = []
        #: Raised by every method, or by those named in ``failing``.
        self.trouble: StoreUnavailable | None = None
        self.failing: tuple[str, ...] = ()
        #: Run before the next call of the method of that name.
        self.before: dict[str, cabc.Callable[[], object]] = {}

    def _call(self, name: str, method: cabc.Callable[..., R], *args: object) -> R:
        self.calls.append(name)

        if name in self.before:
            self.before.pop(name)()

        if self.trouble is not None and (not self.failing or name in self.failing):
            raise self.trouble

        return method(*args)

    def get(self, key: str, /) -> Record | None:
        return self._call("get", self.memory.get, key)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        return self._call("swap", self.memory.swap, key, expected, record)

    def delete(self, key: str, expected: Record, /) -> bool:
        return self._call("delete", self.memory.delete, key, expected)

    def fail(self, *methods: str, unreachable: bool = True) -> None:
        """From now on raise ``StoreUnavailable``."""
        self.trouble = StoreUnavailable("connection refused", unreachable=unreachable)
        self.failing = methods

    def recover(self) -> None:
        self.trouble = None

    def records(self) -> dict[str, Record]:
        found = {key: self.memory.get(key) for key in list(self.memory.keys())}
        return {key: record for key, record in found.items() if record is not None}


class FullStore(PlainStore):
    """The same with all capabilities."""

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        return self._call("move", self.memory.move, old_key, expected, stub, new_key, record)

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        return self._call("owned_by", self.memory.owned_by, owner, now)

    def sweep(self, now: float, /, limit: int | None = None) -> int:
        return self._call("sweep", self.memory.sweep, now, limit)

    def keys(self) -> cabc.Iterator[str]:
        return self.memory.keys()

    def count(self, now: float, /) -> int:
        return self.memory.count(now)

    def clear(self) -> int:
        return self.memory.clear()


class ComposedStore(FullStore):
    """The core makes two swaps of its moves."""

    move: t.Any = None


class Browser:
    """Keeps the cookie as browsers do."""

    def __init__(self, manager: BaseManager, value: str | None = None) -> None:
        self.manager = manager
        self.value = value

    @property
    def header(self) -> str | None:
        return None if self.value is None else f"{self.manager.cookie.name}={self.value}"

    def open(self) -> Session:
        return self.manager.open(self.header)

    def keep(self, instruction: Instruction) -> Instruction:
        if isinstance(instruction, Set):
            self.value = instruction.value
        elif isinstance(instruction, Delete):
            self.value = None

        return instruction

    def visit(self, view: View = lambda session: None, *, ok: bool = True) -> Instruction:
        """One request: *view* gets the session, then it is committed."""
        session = self.open()
        view(session)
        return self.keep(self.manager.commit(session, ok=ok))

    def put(self, **values: object) -> Instruction:
        return self.visit(lambda session: session.update(values))

    def see(self) -> dict[str, t.Any]:
        """All values, as one more request finds them."""
        session = self.open()
        values = dict(session)
        self.keep(self.manager.commit(session))
        return values

    def log_in(self, owner: str, **values: object) -> Instruction:
        def view(session: Session) -> None:
            session.bind(owner)
            session.update(values)

        return self.visit(view)

    def twin(self) -> Browser:
        """Another browser with a copy of the cookie."""
        return Browser(self.manager, self.value)


@contextlib.contextmanager
def received(signal: blinker.Signal) -> cabc.Iterator[list[dict[str, t.Any]]]:
    """Collect what a signal sends."""
    events: list[dict[str, t.Any]] = []

    def receive(sender: object, **values: t.Any) -> None:
        events.append(values)

    with signal.connected_to(receive):
        yield events


def moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(NOW + seconds, datetime.timezone.utc)


def ended_reason(browser: Browser) -> str | None:
    return browser.open().ended_reason


def logged_in(manager: SessionManager, clock: FakeClock, count: int = 1) -> list[Browser]:
    """Let so many browsers log in as ann, one second after the other."""
    browsers = [Browser(manager) for _ in range(count)]

    for browser in browsers:
        clock.advance(1)
        browser.log_in("ann")

    return browsers


def before_the(number: int, command: str, store: FullStore, happen: t.Callable[[], object]) -> None:
    """Have something happen before the store gets that command for the so many-th time."""
    step = happen if number == 1 else (lambda: before_the(number - 1, command, store, happen))
    store.before[command] = step
