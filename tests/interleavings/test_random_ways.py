"""Random requests that overtake each other, through each of the three ways in, beside the model.

A request makes others, and lets their answers arrive, before it goes on: before and after it reads
its session, between what it does with it, between the commands of its commit, and after that.
"""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import typing as t
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.cookie import Delete
from sessionkit.cookie import Instruction
from sessionkit.cookie import Set
from sessionkit.draft import Draft
from sessionkit.store import Record
from sessionkit.store import Store
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from sessionkit.tokens import digest
from tests.attacks.website import SOAK
from tests.security.sites import KINDS
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site
from tests.security.sites import site_of

from .cases import POLICY
from .model import Ended
from .model import Model
from .model import Request

pytestmark = pytest.mark.attack

SCHEDULES = 10_000 if SOAK else 50

#: Requests of a schedule that are sent one after the other, and in all.
FIRST, ALL = 6, 16

#: How many requests may be on their way at the same time.
DEPTH = 3

OWNERS = ("alice", "bob")
USES = ("write", "write", "change_inside", "remove", "mutate", "flash", "consume")
#: Django's ``destroy`` and ``clear`` are its own; the first of them ends the session at once.
ENDS = ("unbind", "destroy", "clear")
WISHES = ("renew", *(f"bind {owner}" for owner in OWNERS), *ENDS)
ANSWERS = ("answer", "answer", "answer", "stream", "fail")


@dataclasses.dataclass
class Visit:
    """A request on its way, and what the model makes of it."""

    browser: int
    sent: str | None
    steps: list[str]
    answer: str
    request: Request | None = None
    #: What the session was asked for, and the model not yet.
    wish: str = ""
    is_committing: bool = False
    is_forced: bool = False
    ended: Ended | None = None
    instruction: Instruction = None

    @property
    def ok(self) -> bool:
        return self.answer != "fail"


class Watched(SessionManager):
    """A manager that says when a session is read and when it is committed."""

    schedule: Schedule

    def __init__(self, store: Store) -> None:
        clock = FakeClock(1e9)
        self.watched = WatchedStore(store, self)
        super().__init__(self.watched, policy=POLICY, clock=clock, sleep=clock.sleep)
        self._read = self.read
        self.read = self._watch_read

    def _watch_read(self, session: Session) -> Draft:
        self.schedule.interrupt()
        draft = self._read(session)
        self.schedule.has_read(session, draft)
        return draft

    def commit(self, session: Session, *, ok: bool = True) -> Instruction:
        if session.committed or session.loaded_draft is None:
            return super().commit(session, ok=ok)

        visit = self.schedule.begin_commit(forced=False)
        assert ok == visit.ok
        visit.instruction = super().commit(session, ok=ok)
        self.schedule.has_committed(visit)
        return visit.instruction

    def save(self, session: Session) -> bool:
        # Reading comes first, and is no part of it.
        _ = session.draft
        visit = self.schedule.begin_commit(forced=True)
        saved = super().save(session)
        self.schedule.has_saved(visit)
        return saved


class WatchedStore:
    """A store that says when a request is about to use it, and when it has changed it."""

    def __init__(self, inner: t.Any, manager: Watched) -> None:
        self._inner, self._manager = inner, manager
        self.owned_by, self.count, self.clear = inner.owned_by, inner.count, inner.clear
        self.keys = inner.keys

    def get(self, key: str, /) -> Record | None:
        self._manager.schedule.interrupt_commit()
        record: Record | None = self._inner.get(key)
        self._manager.schedule.has_looked()
        return record

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        self._manager.schedule.interrupt_commit()
        return self._changed(
            self._inner.swap(key, expected, record), key if expected is None else None
        )

    def delete(self, key: str, expected: Record, /) -> bool:
        self._manager.schedule.interrupt_commit()
        return self._changed(self._inner.delete(key, expected))

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        self._manager.schedule.interrupt_commit()
        return self._changed(self._inner.move(old_key, expected, stub, new_key, record), new_key)

    def _changed(self, changed: bool, new_key: str | None = None) -> bool:
        if changed:
            self._manager.schedule.has_changed(new_key)

        return changed


class Schedule:
    """What two browsers do with a site, and what the model makes of it.

    The model knows sessions by their store keys, which are known before their ids.
    """

    def __init__(self, site: Site, wishes: tuple[str, ...], data: st.DataObject) -> None:
        self.site = site
        self.wishes = wishes
        self.data = data
        self.model = Model()
        self.visits: list[Visit] = []
        self.jars: list[str | None] = [None] * 2
        self.answers: list[Visit] = []
        self.sent = 0
        self.values = 0

    # -- browsers

    def run(self) -> None:
        for browser, owner in enumerate(self._draw(st.tuples(*[st.sampled_from(OWNERS)] * 2))):
            self._send(browser, ["write", f"bind {owner}"], "answer")
            self._let_arrive(len(self.answers))

        for _ in range(FIRST):
            self._send_any()
            self._check()

        self._let_arrive(len(self.answers))
        self._check()

    def interrupt(self) -> None:
        """Let other requests be made now, perhaps."""
        while self._may_send() and self._draw(st.integers(0, 2)) == 2:
            self._send_any()

    def interrupt_commit(self) -> None:
        if self.visits and self.visits[-1].is_committing:
            self.interrupt()

    def _may_send(self) -> bool:
        return bool(self.visits) and len(self.visits) < DEPTH and self.sent < ALL

    def _send_any(self) -> None:
        # Mostly that of the first browser: requests of one session are to meet.
        browser = int(self._draw(st.integers(0, 3)) == 3)
        steps = [self._draw(st.sampled_from(USES)) for _ in range(self._draw(st.integers(0, 2)))]

        if self._draw(st.booleans()):
            steps.insert(
                self._draw(st.integers(0, len(steps))), self._draw(st.sampled_from(self.wishes))
            )

        self._let_arrive(self._draw(st.integers(0, len(self.answers))))
        self._send(browser, steps, self._draw(st.sampled_from(ANSWERS)))

    def _send(self, browser: int, steps: list[str], answer: str) -> None:
        jar = self.jars[browser]
        visit = Visit(browser, jar, steps, answer)
        self.visits.append(visit)
        self.sent += 1
        name = self.site.manager.cookie.name
        got = self.site.jar(cookies={} if jar is None else {name: jar}).get("/visit")
        assert self.visits.pop() is visit
        # Nothing but what failed by itself is an error, and it gets no other cookie than decided.
        assert got.status == (200 if visit.ok else 500)
        assert got.body == ("streamed" if answer == "stream" else "answered")
        header = got.set_cookie

        if isinstance(visit.instruction, Set):
            assert header is not None
            assert header.startswith(f"{name}={visit.instruction.value};")
        elif isinstance(visit.instruction, Delete):
            assert header is not None
            assert header.startswith((f"{name}=;", f'{name}="";'))
        else:
            assert header is None

        self.answers.append(visit)

    def _let_arrive(self, number: int) -> None:
        for _ in range(number):
            visit = self.answers.pop(self._draw(st.integers(0, len(self.answers) - 1)))

            if isinstance(visit.instruction, Set):
                self.jars[visit.browser] = visit.instruction.value
            elif isinstance(visit.instruction, Delete):
                self.jars[visit.browser] = None

    def _draw(self, strategy: st.SearchStrategy[t.Any]) -> t.Any:
        return self.data.draw(strategy)

    # -- the site

    def view(self, session: t.Any, query: Query) -> Said:
        visit = self.visits[-1]

        for step in visit.steps:
            self.interrupt()
            self._take(step, session, visit)

        self.interrupt()
        body = self._stream() if visit.answer == "stream" else "answered"
        return Said(body, 200 if visit.ok else 500)

    def _stream(self) -> cabc.Iterator[bytes]:
        self.interrupt()
        yield b"stre"
        self.interrupt()
        yield b"amed"

    def _take(self, step: str, session: t.Any, visit: Visit) -> None:
        wish, _, owner = step.partition(" ")

        if step in USES:
            # Flash messages, too, are there when the session was read.
            session.get("key")
            assert visit.request is not None
            getattr(self, f"_{step}")(session, visit.request)

            if session.available:
                assert dict(session.items()) == visit.request.values

            return

        visit.wish = step
        getattr(session, wish)(*[owner] if owner else [])
        self._wish(visit)

    def _wish(self, visit: Visit) -> None:
        """Let the model's request wish the same, once."""
        wish, _, owner = visit.wish.partition(" ")
        visit.wish = ""
        request = visit.request
        assert request is not None

        if owner:
            request.bind(owner)
        elif wish == "renew":
            request.renew()
        elif wish in ENDS:
            request.end(keep_flash=wish == "unbind")

    def _write(self, session: t.Any, request: Request) -> None:
        session["key"] = request.values["key"] = self._new_value()

    def _change_inside(self, session: t.Any, request: Request) -> None:
        value = self._new_value()
        session.setdefault("cart", []).append(value)
        request.values["cart"] = [*request.values.get("cart", []), value]

    def _remove(self, session: t.Any, request: Request) -> None:
        assert session.pop("key", None) == request.values.pop("key", None)

    def _mutate(self, session: t.Any, request: Request) -> None:
        request.values["count"] = request.values.get("count", 0) + 1
        request.count += 1
        assert session.mutate("count", lambda n: n + 1, 0) == request.values["count"]

    def _flash(self, session: t.Any, request: Request) -> None:
        session.flash["key"] = request.flash["key"] = self._new_value()

    def _consume(self, session: t.Any, request: Request) -> None:
        assert session.flash.get("key") == request.flash.pop("key", None)

    def _new_value(self) -> int:
        self.values += 1
        return self.values

    # -- what the manager and the store tell

    def has_read(self, session: Session, draft: Draft) -> None:
        if not self.visits:
            return  # it is the test that looks

        visit = self.visits[-1]
        visit.request = self.model.open(visit.sent and digest(visit.sent))
        assert draft.state == visit.request.state

    def has_looked(self) -> None:
        """Take note that a request whose write came too late merges, and tries again."""
        visit = self.visits[-1] if self.visits else None

        if visit is not None and visit.is_committing and visit.ended is None:
            assert visit.request is not None

            if visit.request.intent != "end":
                self.model.reloaded(visit.request)

    def begin_commit(self, *, forced: bool) -> Visit:
        """Let requests be made between the commands that follow."""
        visit = self.visits[-1]
        self._wish(visit)
        visit.is_committing, visit.is_forced, visit.ended = True, forced, None
        return visit

    def has_saved(self, visit: Visit) -> None:
        """Let the model's request go on after an early save."""
        ended, request = self._end_commit(visit)

        if ended.cookie == "set":
            request.announced = request.session_id
        elif ended.cookie == "delete":
            request.announced = "delete"

        is_over = ended.cookie != "set" and request.intent == "end"
        request.state = "new" if is_over else "superseded" if request.lost else "live"
        request.intent, request.must_end = "keep", False

        if not request.lost:
            request.take_as_base()

        self.interrupt()

    def has_committed(self, visit: Visit) -> None:
        ended, request = self._end_commit(visit)
        announced = request.session_id if ended.cookie == "set" else request.announced

        if ended.cookie == "delete" or announced == "delete":
            assert visit.instruction == Delete()
        elif announced is not None:
            assert isinstance(visit.instruction, Set)
            assert digest(visit.instruction.value) == announced
        else:
            assert visit.instruction is None

        self.interrupt()

    def _end_commit(self, visit: Visit) -> tuple[Ended, Request]:
        visit.is_committing = False
        assert visit.request is not None
        return self.decide(visit), visit.request

    def has_changed(self, new_key: str | None) -> None:
        """Take note of a command that has changed something, before anybody sees it."""
        if not self.visits:
            return

        visit = self.visits[-1]
        ended = self.decide(visit)

        if new_key is not None:
            assert ended.cookie == "set"
            self.model.placed(t.cast(Request, visit.request), new_key)

        self.interrupt_commit()

    def decide(self, visit: Visit) -> Ended:
        """Carry out a request in the model at the moment at which the store carries it out."""
        if visit.ended is None:
            assert visit.request is not None
            visit.ended = self.model.commit(
                visit.request, ok=visit.ok or visit.is_forced, forced=visit.is_forced
            )

        return visit.ended

    # -- what must hold between requests

    def _check(self) -> None:
        model, manager = self.model, self.site.manager
        records = {key: self.site.store.get(key) for key in [*self.site.store.keys()]}
        owners = {key: entry.owner for key, entry in model.entries.items()}
        assert {key: record.owner for key, record in records.items()} == owners

        for owner in OWNERS:
            # The index names every live session.
            assert len(manager.sessions_of(owner)) == [*owners.values()].count(owner)

        for browser, jar in enumerate(self.jars):
            if jar is not None:
                self._check_browser(browser, jar)

    def _check_browser(self, browser: int, jar: str) -> None:
        key = digest(jar)
        entry = self.model.entries.get(key)
        session = self.site.manager.load(jar)
        assert (session is not None) == (entry is not None and entry.successor is None)

        if session is not None and entry is not None:
            assert dict(session) == entry.values
            assert {name: session.flash.peek(name) for name in session.flash} == entry.flash

        if not any(visit.browser == browser for visit in self.answers):
            # No browser is left on an id that was replaced.
            assert self.model.tip(key) in (key, None)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> cabc.Iterator[Store]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/sessions"
    opened: t.Any = open_store(url)
    yield opened

    if request.param != "memory":
        opened.close()


# Long enough to find a small schedule too, where one breaks a promise.
@pytest.mark.timeout(max(600, SCHEDULES))
@pytest.mark.parametrize("kind", KINDS)
def test_random_requests_that_overtake_each_other_agree_with_the_model(
    kind: str, store: Store
) -> None:
    sent: list[int] = []
    manager = Watched(store)
    # Django's early save, when there is nothing to save, says that nothing is to be saved later.
    wishes = WISHES if kind == "django" else (*WISHES, "save")

    with site_of(kind, manager) as site:

        @settings(
            max_examples=SCHEDULES,
            deadline=None,
            derandomize=False,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.data())
        def explore(data: st.DataObject) -> None:
            site.store.clear()
            schedule = manager.schedule = Schedule(site, wishes, data)
            site.views["/visit"] = schedule.view
            schedule.run()
            sent.append(schedule.sent)

        explore()

    assert len(sent) >= SCHEDULES
    assert sum(sent) > SCHEDULES * FIRST
