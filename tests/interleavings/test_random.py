"""Random requests of several browsers, compared with a simple model after each."""

from __future__ import annotations

import collections.abc as cabc
import os
import typing as t

import pytest
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import consumes
from hypothesis.stateful import initialize
from hypothesis.stateful import invariant
from hypothesis.stateful import multiple
from hypothesis.stateful import precondition
from hypothesis.stateful import rule
from hypothesis.stateful import run_state_machine_as_test

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.store import Enumerable
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from tests.attacks.website import SOAK
from tests.engines import ENGINES
from tests.engines import Engine

from .cases import POLICY
from .model import Model
from .model import Request

#: In every environment, and of the attack in one of them.
FEW, MANY = 50, int(os.environ.get("SESSIONKIT_EXAMPLES", "100000" if SOAK else "1000"))

#: The core is the same on every engine: one gets all schedules, and others a part of them.
PARTS = {"memory": 1, "sqlite": 1 if SOAK else 2, "redis": 1 if SOAK else 2}
SMALL_PART = 20

#: Hypothesis keeps what it has tried, so a night of it is many short runs.
RUN = 1000

STEPS = 30

USES = ["write", "change_inside", "remove", "mutate", "flash", "consume"]
WISHES = ["renew", "renew", "unbind", "destroy", "clear"]
OWNERS = st.sampled_from(["alice", "bob"])
BROWSERS = st.integers(0, 1)


class Flight(t.NamedTuple):
    """A request that is being answered, and what the model makes of it."""

    browser: int
    session: Session
    request: Request


class Answer(t.NamedTuple):
    """An answer on its way to the browser."""

    browser: int
    instruction: Set | Delete | None


class Browsers(RuleBasedStateMachine):
    """Requests begin, use their session, end, and are answered, in any order."""

    flights = Bundle("flights")
    answers = Bundle("answers")
    store: Store
    begun: t.ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        type(self).begun += 1
        # The real time: Redis expires by itself.
        self.clock = FakeClock()
        self.manager = SessionManager(self.store, policy=POLICY, clock=self.clock)

        if isinstance(self.store, Enumerable):
            self.store.clear()

        self.model = Model()
        self.jars: list[str | None] = [None] * 2
        #: Answers that each browser waits for.
        self.awaited = [0] * 2
        self.values = 0
        #: Whether the store has changed since it was compared with the model.
        self.has_changed = True

    def _new_value(self) -> int:
        self.values += 1
        return self.values

    # -- requests

    @initialize(owners=st.tuples(OWNERS | st.none(), OWNERS | st.none()))
    def log_in(self, owners: tuple[str | None, ...]) -> None:
        """Random requests alone seldom come to a session that two of them can share."""
        for browser, owner in enumerate(owners):
            flight = self._send(browser)
            self._write(flight.session, flight.request)

            if owner is not None:
                self.bind(flight, owner)

            self.arrive(self.finish(flight, ok=True))

    @rule(target=flights, browser=BROWSERS, requests=st.integers(1, 3))
    def send(self, browser: int, requests: int) -> t.Any:
        return multiple(*(self._send(browser) for _ in range(requests)))

    @rule(flight=flights, use=st.sampled_from(USES), wish=st.none() | st.sampled_from(WISHES))
    def overtake(self, flight: Flight, use: str, wish: str | None) -> None:
        """Another request of the browser is sent and answered; random ones seldom meet."""
        other = self._send(flight.browser)
        self.use(other, use)

        if wish is not None:
            self.wish(other, wish)

        self.arrive(self.finish(other, ok=True))

    def _send(self, browser: int) -> Flight:
        jar = self.jars[browser]
        session = self.manager.open(None if jar is None else f"sid={jar}")
        request = self.model.open(jar)
        assert session.state == request.state
        self.awaited[browser] += 1
        return Flight(browser, session, request)

    @rule(flight=flights, use=st.sampled_from(USES))
    def use(self, flight: Flight, use: str) -> None:
        getattr(self, f"_{use}")(flight.session, flight.request)

    def _write(self, session: Session, request: Request) -> None:
        session["key"] = request.values["key"] = self._new_value()

    def _change_inside(self, session: Session, request: Request) -> None:
        value = self._new_value()
        session.setdefault("cart", []).append(value)
        request.values["cart"] = [*request.values.get("cart", []), value]

    def _remove(self, session: Session, request: Request) -> None:
        assert session.pop("key", None) == request.values.pop("key", None)

    def _mutate(self, session: Session, request: Request) -> None:
        request.values["count"] = request.values.get("count", 0) + 1
        request.count += 1
        assert session.mutate("count", lambda n: n + 1, 0) == request.values["count"]

    def _flash(self, session: Session, request: Request) -> None:
        session.flash["key"] = request.flash["key"] = self._new_value()

    def _consume(self, session: Session, request: Request) -> None:
        assert session.flash.get("key") == request.flash.pop("key", None)

    @rule(flight=flights, owner=OWNERS)
    def bind(self, flight: Flight, owner: str) -> None:
        flight.session.bind(owner)
        flight.request.bind(owner)

    @rule(flight=flights, wish=st.sampled_from(WISHES))
    def wish(self, flight: Flight, wish: str) -> None:
        getattr(flight.session, wish)()

        if wish == "renew":
            flight.request.renew()
        else:
            flight.request.end(keep_flash=wish == "unbind")

    @rule(flight=flights)
    def look(self, flight: Flight) -> None:
        if flight.session.available:
            assert dict(flight.session) == flight.request.values
            assert flight.session.owner == flight.request.owner

    @rule(flight=flights)
    def save(self, flight: Flight) -> None:
        request, session = flight.request, flight.session
        self.has_changed = True
        ended = self.model.commit(request, ok=True, forced=True)
        saved = session.save()
        new_id = session.draft.stored.session_id if saved and session.draft.stored else None

        if ended.cookie == "set":
            assert new_id is not None
            self.model.placed(request, new_id)
            request.announced = new_id
        elif ended.cookie == "delete":
            request.announced = "delete"

        assert saved == (ended.cookie != "delete" and not request.lost and new_id is not None)
        self._go_on(request, ended.cookie)

    def _go_on(self, request: Request, cookie: str | None) -> None:
        """Let the model's request go on after an early save."""
        ended = cookie != "set" and request.intent == "end"
        request.state = "new" if ended else "superseded" if request.lost else "live"
        request.intent, request.must_end = "keep", False

        if not request.lost:
            request.take_as_base()

    # -- answers

    @rule(target=answers, flight=consumes(flights), ok=st.sampled_from([True, True, True, False]))
    def finish(self, flight: Flight, ok: bool) -> Answer:
        request, session = flight.request, flight.session
        self.has_changed = True
        ended = self.model.commit(request, ok=ok)
        instruction = self.manager.commit(session, ok=ok)

        if ended.cookie == "set":
            assert isinstance(instruction, Set)
            self.model.placed(request, instruction.value)
        elif ended.cookie == "delete" or request.announced == "delete":
            assert instruction == Delete()
        elif request.announced is not None:
            assert isinstance(instruction, Set)
            assert instruction.value == request.announced
        else:
            assert instruction is None

        return Answer(flight.browser, instruction)

    @rule(answer=consumes(answers))
    def arrive(self, answer: Answer) -> None:
        self.awaited[answer.browser] -= 1

        if isinstance(answer.instruction, Set):
            self.jars[answer.browser] = answer.instruction.value
        elif isinstance(answer.instruction, Delete):
            self.jars[answer.browser] = None

    # -- everything else

    @precondition(lambda self: self.values % 8 == 7 and isinstance(self.store, Owned))
    @rule(owner=OWNERS)
    def revoke(self, owner: str) -> None:
        self.has_changed = True
        assert self.manager.revoke_all(owner) == self.model.revoke(owner)

    @precondition(lambda self: self.values % 8 == 3 and not any(self.awaited))
    @rule()
    def expire(self) -> None:
        self.clock.advance(10_000)
        self.model.entries.clear()
        self.has_changed = True

        if isinstance(self.store, Sweepable):
            self.manager.purge()

    # -- what must hold

    @invariant()
    def the_store_holds_what_the_model_holds(self) -> None:
        if not self.has_changed:
            return

        self.has_changed = False

        for session_id, entry in self.model.entries.items():
            session = self.manager.load(session_id)
            assert (session is not None) == entry.is_live

            if session is not None:
                assert dict(session) == entry.values
                assert {key: session.flash.peek(key) for key in session.flash} == entry.flash
                assert session.owner == entry.owner

        if isinstance(self.store, Enumerable):
            assert self.store.count(self.clock()) == len(self.model.entries)
            lives = [entry for entry in self.model.entries.values() if entry.is_live]
            owned = [entry for entry in lives if entry.owner is not None]
            assert self.manager.count()[:2] == (len(lives), len(owned))

        if not isinstance(self.store, Owned):
            return

        owners = [entry.owner for entry in self.model.entries.values()]

        for owner in ("alice", "bob"):
            # The index names every live session.
            assert len(self.manager.sessions_of(owner)) == owners.count(owner)

    @invariant()
    def no_browser_is_left_on_a_replaced_id(self) -> None:
        for jar, awaited in zip(self.jars, self.awaited, strict=True):
            if not awaited and jar is not None:
                assert self.model.tip(jar) in (jar, None)


@pytest.fixture(
    params=[
        pytest.param(engine, id=engine.name, marks=[pytest.mark.attack] if engine.server else [])
        for engine in ENGINES
    ]
)
def engine(request: pytest.FixtureRequest) -> Engine:
    return t.cast(Engine, request.param)


@pytest.fixture
def store(engine: Engine, request: pytest.FixtureRequest) -> cabc.Iterator[Store]:
    opened: t.Any = open_store(engine.url(request))
    yield opened
    getattr(opened, "close", lambda: None)()


def _compare(store: Store, schedules: int, **options: t.Any) -> None:
    """Let random browsers use *store* so many times."""
    machine: t.Any = type("BrowsersOn", (Browsers,), {"store": store, "begun": 0})

    for _ in range(0, schedules, RUN):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=min(schedules, RUN),
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
                **options,
            ),
        )

    assert machine.begun >= schedules


def test_random_requests_agree_with_the_model(store: Store, engine: Engine) -> None:
    if engine.server is None:
        _compare(store, FEW)


@pytest.mark.attack
@pytest.mark.timeout(max(600, MANY // 10))
def test_many_random_requests_agree_with_the_model(store: Store, engine: Engine) -> None:
    schedules = MANY // PARTS.get(engine.name, SMALL_PART)
    # Others each time, where hypothesis would repeat those of the last run (CI=true).
    _compare(store, schedules, derandomize=False)
