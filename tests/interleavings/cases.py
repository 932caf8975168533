"""Requests as the explorer runs them: a real manager for each, on a store of recorded answers."""

from __future__ import annotations

import base64
import collections.abc as cabc
import functools
import hashlib
import typing as t

from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import signals
from sessionkit.cookie import Instruction
from sessionkit.cookie import Set
from sessionkit.store import Record
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.tokens import digest

from .explorer import Call
from .explorer import Run
from .operations import BASE_COUNT
from .operations import Operation

NOW = 1_000_000_000.0

#: Seconds by which the clocks of the processes differ.
SKEWS = (2.0, 0.0, -3.0)

#: A tenth of the idle time has passed since the session was last written, so a refresh is due.
POLICY = SessionPolicy(
    idle_timeout=1000, absolute_timeout=9000, ownerless_timeout=500, form_tokens=("token",)
)
CREATED = NOW - 300

#: How many bytes all is drawn from that a new session needs, the id first; nothing else takes as
#: many.
IDENTITY_BYTES, ID_BYTES = 54, 30

Scene = t.Literal["alice", "nobody's", "no session", "replaced"]
SCENES: tuple[Scene, ...] = t.get_args(Scene)


class Outcome(t.NamedTuple):
    """What a request saw, what it answers, and what it lost."""

    cookie: str | None
    state: str = "new"
    owner: str | None = None
    secret: str | None = None
    instruction: Instruction = None
    dropped: frozenset[str] = frozenset()
    error: str | None = None


class _Paused(BaseException):
    """A request has come to a call that has no answer yet."""


class Tape:
    """A store that answers from a record of answers, and stops the request where it ends."""

    def __init__(self) -> None:
        self.answers: tuple[t.Any, ...] = ()
        self.calls: list[Call] = []

    def _ask(self, method: str, *args: t.Any) -> t.Any:
        self.calls.append(Call(method, args))

        if len(self.calls) > len(self.answers):
            raise _Paused

        return self.answers[len(self.calls) - 1]

    def get(self, key: str, /) -> Record | None:
        return t.cast("Record | None", self._ask("get", key))

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        return bool(self._ask("swap", key, expected, record))

    def delete(self, key: str, expected: Record, /) -> bool:
        return bool(self._ask("delete", key, expected))

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        return t.cast("cabc.Collection[str]", self._ask("owned_by", owner, now))


class MovingTape(Tape):
    """The same of a store that can move."""

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        return bool(self._ask("move", old_key, expected, stub, new_key, record))


class IndexFirstTape(Tape):
    """The same of a store that names a key in its index before it writes the record."""

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        if record.owner is not None and (expected is None or expected.owner != record.owner):
            self._ask("enter", record.owner, key)

        return super().swap(key, expected, record)


Kind = t.Literal["moving", "composed", "index first"]
_TAPES: dict[Kind, type[Tape]] = {
    "moving": MovingTape,
    "composed": Tape,
    "index first": IndexFirstTape,
}


class Process:
    """An application process that runs one request of a case.

    :param number: of the request.
    :param kind: whether its store can move, or the core must compose it, and whether its index is
        written apart.
    """

    #: Which request drew the id behind a store key.
    made_by: t.ClassVar[dict[str, int]] = {}

    def __init__(self, number: int, kind: Kind) -> None:
        self._number = number
        self._tape = _TAPES[kind]()
        self._drawn = 0
        self._dropped: set[str] = set()
        self._manager = SessionManager(
            self._tape,
            policy=POLICY,
            clock=lambda: NOW + SKEWS[number],
            sleep=lambda seconds: None,
            random_bytes=self._random_bytes,
        )
        signals.dropped.connect(self._note_dropped, sender=self._manager)

    def run(self, operation: Operation, cookie: str | None, answers: tuple[t.Any, ...]) -> Run:
        """Run the request as far as the *answers* reach."""
        self._tape.answers, self._tape.calls = answers, []
        self._drawn = 0
        self._dropped.clear()

        try:
            outcome = self._handle(operation, cookie)
        except _Paused:
            return Run(tuple(self._tape.calls), None)

        return Run(tuple(self._tape.calls), outcome)

    def _handle(self, operation: Operation, cookie: str | None) -> Outcome:
        session = self._manager.open(None if cookie is None else f"sid={cookie}")
        outcome = Outcome(cookie)

        try:
            if not operation.revokes:
                outcome = outcome._replace(
                    state=session.state, owner=session.owner, secret=session.get("secret")
                )

            operation.act(session, self._number)
            instruction = self._manager.commit(session, ok=operation.ok)
        except Exception as error:  # noqa: BLE001  # nothing must be raised, whatever it is
            return outcome._replace(error=repr(error))

        return outcome._replace(instruction=instruction, dropped=frozenset(self._dropped))

    def _note_dropped(self, sender: object, *, keys: set[str], **_: object) -> None:
        self._dropped |= keys

    def _random_bytes(self, size: int) -> bytes:
        self._drawn += 1
        drawn = _random_bytes(self._number, self._drawn, size)

        if size == IDENTITY_BYTES:
            session_id = base64.urlsafe_b64encode(drawn[:ID_BYTES]).decode()
            self.made_by[digest(session_id)] = self._number

        return drawn


def _random_bytes(number: int, drawn: int, size: int) -> bytes:
    return hashlib.blake2b(b"%d %d" % (number, drawn), digest_size=size).digest()


@functools.cache
def process(number: int, kind: Kind) -> Process:
    return Process(number, kind)


def receive(jar: str | None, instruction: Instruction) -> str | None:
    """Return what the browser has after an answer."""
    if instruction is None:
        return jar

    return instruction.value if isinstance(instruction, Set) else None


@functools.cache
def before(scene: Scene) -> tuple[dict[str, Record], str | None]:
    """Return what is stored, and the browser's cookie, before the requests of a case."""
    if scene == "no session":
        return {}, None

    store = MemoryStore()
    clock = FakeClock(CREATED)
    drawn = iter(range(1000))
    manager = SessionManager(
        store,
        policy=POLICY,
        clock=clock,
        random_bytes=lambda size: _random_bytes(-1, next(drawn), size),
    )
    session = manager.open()
    session.update(secret="s3cret", token="form token", count=BASE_COUNT)

    for number in range(len(SKEWS)):
        session[f"box{number}"] = {"inside": []}
        session[f"old{number}"] = True
        session.flash[f"note{number}"] = "read me"

    if scene != "nobody's":
        session.bind("alice")

    jar = receive(None, manager.commit(session))

    if scene == "replaced":
        clock.set(NOW - POLICY.stub_timeout / 2)
        renewing = manager.open(f"sid={jar}")
        renewing.renew()
        manager.commit(renewing)

    return {key: record for key in [*store.keys()] if (record := store.get(key))}, jar


def key_of(cookie: str | None) -> str | None:
    return None if cookie is None else digest(cookie)
