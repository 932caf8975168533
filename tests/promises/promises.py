"""The nine promises of docs/guarantees.md, each as a test that any engine must pass."""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import contextlib
import datetime
import decimal
import functools
import operator
import threading
import typing as t
import uuid

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.base_manager import BaseManager
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import UnsupportedOperation
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import offers
from tests.security.sites import KINDS
from tests.security.sites import site_of

WRITERS, ROUNDS = 6, 5

#: How often two requests race.
RACES = 400

#: One of each kind that JSON would change or refuse.
VALUES: dict[str, t.Any] = {
    "tuple": (1, "two"),
    "bytes": b"\x00\xff",
    "set": {1, 2},
    "moment": datetime.datetime(2031, 2, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc),
    "money": decimal.Decimal("1.10"),
    "uuid": uuid.UUID(int=7),
    "by number": {1: "one", (2, 3): "two and three"},
    "large": 2**200,
}

MakeManager = cabc.Callable[[], BaseManager]
View = cabc.Callable[[Session], object]


def cookie_of(manager: BaseManager, view: View) -> str:
    """Make a session with *view*; return its Cookie header."""
    session = manager.open()
    view(session)
    instruction = manager.commit(session)
    assert isinstance(instruction, Set)
    return f"{manager.cookie.name}={instruction.value}"


def visit(manager: BaseManager, cookie: str, view: View) -> t.Any:
    """Make a request; return what the browser is told about its cookie."""
    session = manager.open(cookie)
    view(session)
    return manager.commit(session)


def seen(manager: BaseManager, cookie: str) -> dict[str, t.Any]:
    session = manager.open(cookie)
    values = dict(session)
    assert manager.commit(session) is None
    return values


def _call(function: cabc.Callable[[], t.Any]) -> t.Any:
    return function()


class Told:
    """A store that remembers what it was called with."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: list[tuple[t.Any, ...]] = []

    def __getattr__(self, name: str) -> t.Any:
        found = getattr(self._store, name)

        def call(*arguments: t.Any) -> t.Any:
            self.calls.append((name, *arguments))
            return found(*arguments)

        return call if callable(found) else found


class Promises:
    """What every kind of session keeps: one that is in a store, or in its cookie.

    :cvar place: where the sessions are, as in docs/stores.md.
    :cvar instead: what becomes of the promises that are not kept there, in a few words.
    """

    place: t.ClassVar[str]
    instead: t.ClassVar[cabc.Mapping[int, str]] = {}

    @pytest.fixture
    def make_manager(self) -> t.Any:
        """Return a function that makes a manager of the same sessions, as another process does."""
        raise NotImplementedError

    @pytest.fixture
    def manager(self, make_manager: MakeManager) -> BaseManager:
        return make_manager()

    def test_6_nested_changes_are_saved(
        self, manager: BaseManager, make_manager: MakeManager
    ) -> None:
        cookie = cookie_of(manager, lambda session: session.update(cart={"items": [1]}))
        told = visit(manager, cookie, lambda session: session["cart"]["items"].append(2))

        if isinstance(told, Set):
            cookie = f"{manager.cookie.name}={told.value}"

        assert seen(make_manager(), cookie) == {"cart": {"items": [1, 2]}}

    def test_7_what_goes_in_comes_out(
        self, manager: BaseManager, make_manager: MakeManager
    ) -> None:
        cookie = cookie_of(manager, lambda session: session.update(VALUES))
        values = seen(make_manager(), cookie)
        assert values == VALUES
        assert {key: type(value) for key, value in values.items()} == {
            key: type(value) for key, value in VALUES.items()
        }

    def test_9_one_login_in_flask_django_and_wsgi(self, make_manager: MakeManager) -> None:
        cookies: dict[str, str] = {}

        for n, kind in enumerate(KINDS):
            with site_of(kind, make_manager()) as site:
                jar = site.jar(cookies=cookies)

                if n == 0:
                    jar.get("/login", {"user": "alice"})

                assert jar.get("/whoami").body == "alice"
                assert jar.get("/count").body == str(n + 1)
                cookies = jar.cookies


class StorePromises(Promises):
    """What every store keeps, but for what it is said not to."""

    @pytest.fixture
    def open_store(self) -> cabc.Callable[[], Store]:
        """Return a function that opens the same empty store again, as another process does."""
        raise NotImplementedError

    @pytest.fixture
    def make_manager(self, open_store: cabc.Callable[[], Store]) -> cabc.Iterator[MakeManager]:
        with contextlib.ExitStack() as stack:

            def make() -> SessionManager:
                manager = SessionManager(open_store())
                stack.callback(manager.close)
                return manager

            yield make

    def test_1_no_update_is_lost(self, manager: BaseManager, make_manager: MakeManager) -> None:
        cookie = cookie_of(manager, lambda session: session.update(before=True))

        def write(number: int) -> None:
            process = make_manager()

            for n in range(ROUNDS):

                def view(session: Session, key: str = f"{number}-{n}") -> None:
                    session[key] = True
                    session.mutate("count", lambda count: count + 1, 0)

                assert visit(process, cookie, view) is None

        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write, range(WRITERS)))

        keys = {f"{number}-{n}" for number in range(WRITERS) for n in range(ROUNDS)}
        assert seen(manager, cookie) == {
            "before": True,
            "count": WRITERS * ROUNDS,
            **dict.fromkeys(keys, True),
        }

    def test_2_what_was_ended_stays_ended(
        self, manager: BaseManager, make_manager: MakeManager
    ) -> None:
        managers = [make_manager() for _ in range(WRITERS)]

        for end in (Session.destroy, Session.renew) * 3:
            cookie = cookie_of(manager, lambda session: session.update(secret=True))
            late = [process.open(cookie) for process in managers]

            for number, session in enumerate(late):
                assert session["secret"] is True
                session[f"late {number}"] = True

            def commit(
                number: int, late: list[Session] = late, cookie: str = cookie, end: t.Any = end
            ) -> None:
                if number == WRITERS // 2:
                    visit(manager, cookie, end)

                managers[number].commit(late[number])

            with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
                list(pool.map(commit, range(WRITERS)))

            assert seen(manager, cookie) == {}
            assert visit(manager, cookie, lambda session: session.update(revived=True)) != cookie
            assert seen(managers[0], cookie) == {}

    def test_2_a_renewal_that_races_with_the_end_of_all_leaves_none_alive(
        self, manager: BaseManager, make_manager: MakeManager
    ) -> None:
        start = threading.Barrier(2, timeout=30)
        other = make_manager()

        def renew(cookie: str, *, late: bool) -> t.Any:
            session = manager.open(cookie)
            # Whoever has read it renews what may be over.
            assert not late or session.owner
            start.wait()
            session.renew()
            return manager.commit(session)

        def end(cookie: str, owner: str) -> None:
            start.wait()

            if 8 in self.instead:
                visit(other, cookie, Session.destroy)
            else:
                other.revoke_all(owner)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for n in range(RACES):
                owner = f"alice {n}"
                cookie = cookie_of(manager, operator.methodcaller("bind", owner))
                racers = [
                    functools.partial(renew, cookie, late=n % 2 == 0),
                    functools.partial(end, cookie, owner),
                ]
                # Mostly the one that comes last to the start is the first to go on.
                turn = 1 if n % 4 < 2 else -1
                told, _ = list(pool.map(_call, racers[::turn]))[::turn]
                assert manager.open(cookie).owner is None

                if isinstance(told, Set):
                    assert manager.open(f"{manager.cookie.name}={told.value}").owner is None

                assert 8 in self.instead or other.sessions_of(owner) == []

    def test_3_an_untouched_session_costs_nothing(
        self, manager: BaseManager, open_store: cabc.Callable[[], Store]
    ) -> None:
        cookie = cookie_of(manager, lambda session: session.update(a=1))
        told = Told(open_store())
        other = SessionManager(t.cast(Store, told))
        assert other.commit(other.open(cookie)) is None
        assert other.commit(other.open()) is None
        assert told.calls == []

    def test_4_the_cookie_is_deleted_only_by_the_request_that_ends_the_session(
        self, manager: BaseManager, make_manager: MakeManager
    ) -> None:
        cookie = cookie_of(manager, lambda session: session.update(a=1))
        late = manager.open(cookie)
        late["late"] = True
        ended = visit(make_manager(), cookie, Session.destroy)
        assert isinstance(ended, Delete)
        assert manager.commit(late) is None

        for dead in cookie, f"{manager.cookie.name}={'x' * 40}", f"{manager.cookie.name}=%00":
            assert seen(manager, dead) == {}
            assert visit(manager, dead, Session.destroy) is None

    def test_5_what_the_store_gets_is_worthless(
        self, manager: BaseManager, open_store: cabc.Callable[[], Store]
    ) -> None:
        told = Told(open_store())
        other = SessionManager(t.cast(Store, told), secrets=["a secret of at least 32 characters"])
        cookie = cookie_of(other, lambda session: session.bind("alice"))
        visit(other, cookie, lambda session: session.renew())
        value = cookie.partition("=")[2]
        bare = other.verify(value)
        assert bare is not None
        assert told.calls

        for text in value, bare:
            assert text.encode() not in repr(told.calls).encode()

        for _, key, *_ in told.calls:
            assert seen(other, f"{other.cookie.name}={key}") == {}
            assert seen(manager, f"{other.cookie.name}={key}") == {}

    def test_8_the_sessions_of_a_user_are_seen_and_ended(
        self, manager: BaseManager, make_manager: MakeManager
    ) -> None:
        cookies = [cookie_of(manager, lambda session: session.bind("alice")) for _ in range(3)]

        if 8 in self.instead:
            assert not offers(t.cast(SessionManager, manager).store, Owned)

            for call in manager.sessions_of, manager.revoke_all:
                with pytest.raises(UnsupportedOperation, match="cannot"):
                    call("alice")

            return

        other = make_manager()
        assert len(other.sessions_of("alice")) == 3
        assert other.sessions_of("bob") == []
        assert other.revoke_all("alice", except_=manager.open(cookies[0])) == 2
        owners = [manager.open(cookie).owner for cookie in cookies]
        assert owners == ["alice", None, None]
        reasons = [manager.open(cookie).ended_reason for cookie in cookies]
        assert reasons == [None, "revoked", "revoked"]
        assert len(manager.sessions_of("alice")) == 1
