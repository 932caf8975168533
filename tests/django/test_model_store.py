"""Sessions in the project's own database: transactions of the application, statements, outages."""

from __future__ import annotations

import asyncio
import collections.abc as cabc
import contextlib
import random
import threading
import time
import typing as t
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import login
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.db import Error
from django.db import close_old_connections
from django.db import connections
from django.db import transaction
from django.http import HttpResponse
from django.test import AsyncClient
from django.test import Client
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from psycopg import IsolationLevel

from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from django_sessionkit.model_store import ModelStore
from django_sessionkit.model_store.models import Session
from sessionkit import SessionManager
from sessionkit.errors import SessionConflict
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from sessionkit.testing._support import in_threads
from tests.django import databases
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer

from .conftest import Site
from .conftest import session_of
from .conftest import use_middleware

ALIAS = "sessions"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(
    params=[
        "sqlite",
        "postgresql",
        "postgresql serializable",
        "mariadb",
        "mariadb repeatable read",
    ]
)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> databases.Database:
    """A database, some with another isolation level than Django's READ COMMITTED."""
    name, _, level = request.param.partition(" ")

    if name == "sqlite":
        return databases.sqlite(tmp_path / "project.sqlite3")

    server = request.getfixturevalue(f"{name}_server")
    project = (databases.mysql if name == "mariadb" else databases.postgresql)(
        server.host, server.port
    )

    if level:
        given = IsolationLevel.SERIALIZABLE if name == "postgresql" else level
        project["OPTIONS"] = {**project.get("OPTIONS", {}), "isolation_level": given}

    return project


@pytest.fixture
def store(project: databases.Database) -> cabc.Generator[ModelStore, None, None]:
    """The sessions in a database of the project, in whose transactions the views run."""
    databases.use(ALIAS, {**project, "ATOMIC_REQUESTS": True})
    databases.migrate(ALIAS)

    with override_settings(SESSIONKIT={"STORE": f"django:?using={ALIAS}"}):
        store = t.cast(SessionManager, get_manager()).store
        assert isinstance(store, ModelStore)
        store.clear()
        yield store

    databases.forget(ALIAS)


@pytest.fixture
def manager(store: ModelStore) -> SessionManager:
    return t.cast(SessionManager, get_manager())


def statements(browser: Client, path: str) -> list[str]:
    """Return the first words of what is executed, and what the view executes after its *BEGIN*."""
    with CaptureQueriesContext(connections[ALIAS]) as captured:
        browser.get(path)

    return [query["sql"].split()[0] for query in captured.captured_queries]


def roll_back(request: t.Any = None) -> None:
    transaction.set_rollback(True, using=ALIAS)


def put(request: t.Any) -> None:
    request.session[request.GET.get("key", "a")] = 1


def show(request: t.Any) -> list[str]:
    return sorted(request.session.keys())


def enter(user: User) -> cabc.Callable[[t.Any], None]:
    return lambda request: login(request, user, BACKEND)


def in_a_thread(function: cabc.Callable[[], object]) -> None:
    """Do it over another connection, as another request does."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    if errors:
        raise errors[0]


class TestStatements:
    """BEGIN and COMMIT of the views are the application's."""

    def test_an_untouched_session_needs_none(self, site: Site, store: ModelStore) -> None:
        browser = site(put=put, idle=lambda request: None)
        browser.get("/put")
        assert statements(browser, "/idle") == ["BEGIN", "COMMIT"]

    def test_a_read_needs_one(self, site: Site, store: ModelStore) -> None:
        browser = site(put=put, show=show)
        browser.get("/put")
        assert statements(browser, "/show") == ["BEGIN", "SELECT", "COMMIT"]

    def test_a_creation_needs_one(self, site: Site, store: ModelStore) -> None:
        assert statements(site(put=put), "/put") == ["BEGIN", "COMMIT", "INSERT"]

    def test_a_write_needs_two_and_the_second_after_the_transaction(
        self, site: Site, store: ModelStore
    ) -> None:
        browser = site(put=put)
        browser.get("/put")
        expected = ["BEGIN", "SELECT", "COMMIT", "UPDATE"]
        assert statements(browser, "/put?key=b") == expected

    def test_a_login_moves_the_session_in_one_transaction(
        self, site: Site, store: ModelStore, user: User
    ) -> None:
        browser = site(put=put, enter=enter(user))
        browser.get("/put")
        read = ["BEGIN", "SELECT", "COMMIT"]
        assert statements(browser, "/enter") == [*read, "BEGIN", "UPDATE", "INSERT", "COMMIT"]

    def test_a_logout_needs_one(self, site: Site, store: ModelStore, user: User) -> None:
        browser = site(leave=logout, enter=enter(user))
        browser.get("/enter")
        assert statements(browser, "/leave") == ["BEGIN", "SELECT", "COMMIT", "DELETE"]


class TestRolledBackRequests:
    """What a request wants of its session does not depend on the application's transaction."""

    def test_a_logout_stands_though_the_view_fails(
        self, site: Site, store: ModelStore, user: User
    ) -> None:
        def leave(request: t.Any) -> t.NoReturn:
            logout(request)
            raise RuntimeError

        browser = site(enter=enter(user), leave=leave, show=show)
        browser.raise_request_exception = False
        browser.get("/enter")
        cookie = browser.cookies["sessionid"].value
        answer = browser.get("/leave")
        assert answer.status_code == 500
        assert answer.cookies["sessionid"]["max-age"] == 0
        assert SessionStore(cookie).load() == {}

    def test_a_session_of_a_transaction_that_was_rolled_back_exists(
        self, site: Site, store: ModelStore
    ) -> None:
        def create(request: t.Any) -> str:
            request.session["a"] = 1
            request.session.create()
            roll_back()
            return str(request.session.session_key)

        browser = site(create=create, show=show)
        answer = browser.get("/create")
        assert answer.content.decode() == answer.cookies["sessionid"].value
        assert browser.get("/show").content == b"['a']"

    def test_a_new_key_is_known_before_it_is_stored(
        self, site: Site, manager: SessionManager, user: User
    ) -> None:
        def renew(request: t.Any) -> str:
            before = request.session.session_key
            request.session.cycle_key()
            assert request.session.session_key != before
            roll_back()
            return str(request.session.session_key)

        browser = site(put=put, renew=renew, show=show)
        browser.get("/put")
        old = browser.cookies["sessionid"].value
        answer = browser.get("/renew")
        assert answer.content.decode() == answer.cookies["sessionid"].value
        assert browser.get("/show").content == b"['a']"
        assert manager.load(old) is None

    def test_a_login_that_was_rolled_back_with_another_answer_is_one(
        self, site: Site, manager: SessionManager, user: User
    ) -> None:
        def refuse(request: t.Any) -> HttpResponse:
            login(request, user, BACKEND)
            roll_back()
            return HttpResponse(status=403)

        browser = site(put=put, refuse=refuse)
        browser.get("/put")
        browser.get("/refuse")
        assert len(manager.sessions_of(user.pk)) == 1
        assert session_of(browser)["a"] == 1

    def test_nothing_is_announced_that_an_error_has_undone(
        self, site: Site, store: ModelStore
    ) -> None:
        def fail(request: t.Any) -> t.NoReturn:
            request.session["a"] = 1
            request.session.save()
            raise RuntimeError

        browser = site(fail=fail)
        browser.raise_request_exception = False
        assert "sessionid" not in browser.get("/fail").cookies
        assert store.count(time.time()) == 0

    def test_the_other_sessions_of_a_user_stay_ended(
        self, site: Site, manager: SessionManager, user: User
    ) -> None:
        def revoke(request: t.Any) -> int:
            ended = manager.revoke_all(user.pk)
            roll_back()
            return ended

        browser = site(enter=enter(user), revoke=revoke)
        browser.get("/enter")
        # By somebody who has no session, as who has forgotten the password.
        assert site.browser().get("/revoke").content == b"1"
        assert manager.sessions_of(user.pk) == []
        assert session_of(browser).ended_reason == "revoked"

    def test_another_session_that_was_flushed_stays_ended(
        self, site: Site, store: ModelStore
    ) -> None:
        def end(request: t.Any) -> None:
            SessionStore(request.GET["session"]).flush()
            roll_back()

        browser = site(put=put, end=end)
        browser.get("/put")
        key = browser.cookies["sessionid"].value
        browser.get(f"/end?session={key}")
        assert SessionStore(key).load() == {}

    def test_flush_and_create_leave_an_empty_session(
        self, site: Site, manager: SessionManager
    ) -> None:
        def anew(request: t.Any) -> str:
            request.session.flush()
            assert request.session.session_key is None
            request.session.create()
            return str(request.session.session_key)

        browser = site(put=put, anew=anew)
        browser.get("/put")
        old = browser.cookies["sessionid"].value
        new = browser.get("/anew").content.decode()
        assert browser.cookies["sessionid"].value == new
        assert manager.load(new) is not None
        assert manager.load(old) is None

    def test_another_user_does_not_inherit_the_data(
        self, site: Site, manager: SessionManager, make_user: cabc.Callable[[], User]
    ) -> None:
        alice, bob = make_user(), make_user()
        browser = site(alice=enter(alice), put=put, bob=enter(bob), show=show)
        browser.get("/alice")
        browser.get("/put")
        browser.get("/bob")
        assert manager.sessions_of(alice.pk) == []
        assert len(manager.sessions_of(bob.pk)) == 1
        assert b"'a'" not in browser.get("/show").content


def test_two_requests_at_once_lose_nothing(site: Site, store: ModelStore) -> None:
    barrier = threading.Barrier(4)

    def slow(request: t.Any) -> None:
        request.session[request.GET["key"]] = 1
        request.session.save()
        barrier.wait(20)

    browser = site(put=put, slow=slow, show=show)
    browser.get("/put")

    def request(key: str) -> None:
        other = site.browser()
        other.cookies["sessionid"] = browser.cookies["sessionid"].value
        assert other.get(f"/slow?key={key}").status_code == 200
        connections.close_all()

    threads = [threading.Thread(target=request, args=(key,)) for key in "bcde"]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert browser.get("/show").content == b"['a', 'b', 'c', 'd', 'e']"


def test_counters_of_threads_are_exact(store: ModelStore, manager: SessionManager) -> None:
    session = manager.start()
    session.save()
    key = session.draft.origin.session_id

    def count() -> None:
        for _ in range(5):
            mine = manager.load(key)
            assert mine is not None
            mine.mutate("n", lambda n: n + 1, 0)
            mine.save()

        connections.close_all()

    in_threads([count] * 4)
    found = manager.load(key)
    assert found is not None
    assert found["n"] == 20


def test_transactions_that_are_rolled_back_at_random_lose_nothing(
    site: Site, store: ModelStore
) -> None:
    dice = random.Random(4)

    def count(request: t.Any) -> HttpResponse:
        request.session.mutate("n", lambda n: n + 1, 0)

        if dice.random() < 0.5:
            request.session.save()

        if dice.random() < 0.5:
            roll_back()

        return HttpResponse(status=dice.choice([200, 403]))

    browser = site(put=put, count=count)
    browser.get("/put")
    answers: list[int] = []

    def visit() -> None:
        other = site.browser()
        other.cookies["sessionid"] = browser.cookies["sessionid"].value
        answers.extend(other.get("/count").status_code for _ in range(10))
        connections.close_all()

    in_threads([visit] * 4)
    assert set(answers) == {200, 403}
    assert session_of(browser)["n"] == len(answers) == 40


def test_under_asgi_an_end_stands_though_the_view_fails(
    site: Site, store: ModelStore, manager: SessionManager
) -> None:
    def end(request: t.Any) -> t.NoReturn:
        request.session.flush()
        raise RuntimeError

    site(put=put, end=end)

    async def visit() -> None:
        browser = AsyncClient(raise_request_exception=False)
        await browser.get("/put")
        assert (await sync_to_async(manager.count)()).live == 1
        answer = await browser.get("/end")
        assert (answer.status_code, answer.cookies["sessionid"]["max-age"]) == (500, 0)
        assert (await sync_to_async(manager.count)()).live == 0
        await sync_to_async(connections.close_all)()

    asyncio.run(visit())


class TestApplicationsTransaction:
    def test_what_is_written_in_it_is_part_of_it(self, store: ModelStore) -> None:
        key, record = new_key(), new_record()

        with transaction.atomic(using=ALIAS):
            assert store.swap(key, None, record)
            assert store.get(key) == record
            roll_back()

        assert store.get(key) is None

    @pytest.mark.parametrize("outcome", ["commit", "rollback"])
    def test_it_is_neither_committed_nor_rolled_back(self, store: ModelStore, outcome: str) -> None:
        taken, old, mine = new_key(), new_key(), new_key()
        record = new_record()
        assert store.swap(taken, None, record)
        assert store.swap(old, None, record)

        with transaction.atomic(using=ALIAS):
            Session.objects.using(ALIAS).create(key=mine, payload=b"", version=1, expires_at=1)
            assert store.swap(taken, None, new_record()) is False
            assert store.move(old, record, successor(record), new_key(), new_record())
            assert store.delete(new_key(), record) is False
            assert Session.objects.using(ALIAS).filter(key=mine).exists()
            transaction.set_rollback(outcome == "rollback", using=ALIAS)

        assert Session.objects.using(ALIAS).filter(key=mine).exists() == (outcome == "commit")

    def test_a_lost_write_raises_and_says_why(
        self, store: ModelStore, manager: SessionManager
    ) -> None:
        session = manager.start()
        session["a"] = 1
        session.save()
        key = session.draft.origin.session_id

        def change() -> None:
            other = manager.load(key)
            assert other is not None
            other["theirs"] = 1
            other.save()

        with transaction.atomic(using=ALIAS):
            mine = manager.load(key)
            assert mine is not None
            mine["mine"] = 1
            in_a_thread(change)

            with pytest.raises(SessionConflict, match="inside of a transaction"):
                mine.save()

            # The transaction goes on.
            assert Session.objects.using(ALIAS).count() == 1

        found = manager.load(key)
        assert found is not None
        assert sorted(found) == ["a", "theirs"]

    def test_what_is_gone_is_not_raised(self, store: ModelStore) -> None:
        key, record = new_key(), new_record()

        with transaction.atomic(using=ALIAS):
            assert store.swap(key, record, successor(record)) is False

    @pytest.mark.parametrize("again", [contextlib.nullcontext(), transaction.atomic(using=ALIAS)])
    def test_what_was_rolled_back_is_not_taken_for_saved(
        self, store: ModelStore, manager: SessionManager, again: t.Any
    ) -> None:
        session = manager.start()
        session.save()
        key = session.draft.origin.session_id

        with transaction.atomic(using=ALIAS):
            session["mine"] = 1
            session.save()
            roll_back()

        # It gets the very version that was rolled back.
        other = manager.load(key)
        assert other is not None
        other["theirs"] = 1
        other.save()
        session["mine"] = 2

        with again, pytest.raises(SessionConflict, match="rolled back"):
            session.save()

        found = manager.load(key)
        assert found is not None
        assert dict(found) == {"theirs": 1}

    def test_what_was_committed_can_be_saved_again(self, manager: SessionManager) -> None:
        session = manager.start()

        with transaction.atomic(using=ALIAS):
            session["a"] = 1
            session.save()

        session["b"] = 2
        assert session.save()

    def test_djangos_own_middleware_interrupts_a_session_that_was_rolled_back(
        self, site: Site, manager: SessionManager
    ) -> None:
        def save(request: t.Any) -> None:
            request.session["b"] = 1
            request.session.save()
            roll_back()

        with use_middleware("stock"):
            browser = site(put=put, save=save, show=show)
            browser.get("/put")
            assert browser.get("/save").status_code == 400
            assert browser.get("/show").content == b"['a']"

    def test_outside_of_requests_the_session_is_part_of_it(self, store: ModelStore) -> None:
        with transaction.atomic(using=ALIAS):
            session = SessionStore()
            session["a"] = 1
            session.save()
            roll_back()

        assert SessionStore(session.session_key).load() == {}

        with pytest.raises(UpdateError):
            session.save()


def test_owners_are_compared_exactly(store: ModelStore) -> None:
    keys = {owner: new_key() for owner in ("ann", "Ann", "\N{LATIN SMALL LETTER A WITH ACUTE}nn")}

    for owner, key in keys.items():
        assert store.swap(key, None, new_record(owner=owner))

    assert {owner: list(store.owned_by(owner, 0.0)) for owner in keys} == {
        owner: [key] for owner, key in keys.items()
    }


def test_clearsessions_removes_what_has_expired(store: ModelStore) -> None:
    dead, alive = new_key(), new_key()
    assert store.swap(dead, None, new_record(expires_at=time.time() - 3600))
    assert store.swap(alive, None, new_record())
    call_command("clearsessions")
    assert list(store.keys()) == [alive]


def test_a_missing_table_says_how_to_make_it(store: ModelStore) -> None:
    call_command("migrate", "sessionkit_store", "zero", database=ALIAS, verbosity=0)

    with pytest.raises(StoreUnavailable, match=f"migrate --database {ALIAS}") as caught:
        store.get(new_key())

    assert not caught.value.unreachable
    databases.migrate(ALIAS)
    assert store.get(new_key()) is None


class TestLostConnections:
    @pytest.fixture(params=["postgresql", "mariadb"])
    def project(self, request: pytest.FixtureRequest) -> databases.Database:
        server = request.getfixturevalue(f"{request.param}_server")
        make = databases.mysql if request.param == "mariadb" else databases.postgresql
        return make(server.host, server.port)

    def kill(self, request: pytest.FixtureRequest) -> None:
        """End the connection of this thread, as a restart of the server does."""
        if connections[ALIAS].vendor == "postgresql":
            server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
            pid = t.cast(t.Any, connections[ALIAS].connection).info.backend_pid
            server.execute("SELECT pg_terminate_backend(%s, 5000)", pid)
        else:
            maria: MariaDBServer = request.getfixturevalue("mariadb_server")
            number = t.cast(t.Any, connections[ALIAS].connection).thread_id()
            maria.execute(f"KILL {number}")

    def test_the_next_request_connects_anew(
        self, store: ModelStore, request: pytest.FixtureRequest
    ) -> None:
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        self.kill(request)

        with pytest.raises(StoreUnavailable) as caught:
            store.get(key)

        assert caught.value.unreachable
        assert key not in str(caught.value)
        assert store.get(key) == record

    def test_a_transaction_that_lost_its_connection_is_not_continued_on_another(
        self, store: ModelStore, request: pytest.FixtureRequest
    ) -> None:
        key = new_key()

        def lose_it() -> None:
            with transaction.atomic(using=ALIAS):
                assert store.get(key) is None
                self.kill(request)

                for _ in range(2):
                    with pytest.raises(StoreUnavailable) as caught:
                        store.get(key)

                    assert caught.value.unreachable

        with pytest.raises(Error):
            lose_it()

        close_old_connections()
        assert store.get(key) is None

    def test_who_does_not_listen_is_unreachable(
        self, store: ModelStore, project: databases.Database
    ) -> None:
        databases.use(ALIAS, {**project, "PORT": "1"})

        with pytest.raises(StoreUnavailable) as caught:
            store.get(new_key())

        assert caught.value.unreachable

    def test_who_refuses_us_is_not(self, store: ModelStore, project: databases.Database) -> None:
        databases.use(ALIAS, {**project, "USER": "nobody", "PASSWORD": "hunter2"})

        with pytest.raises(StoreUnavailable) as caught:
            store.get(new_key())

        assert not caught.value.unreachable
        assert "hunter2" not in str(caught.value)
