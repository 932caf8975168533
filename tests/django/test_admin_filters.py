"""The admin's filters: in the database, on each kind of one, of many rows, of encrypted ones."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import time
import typing as t
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from django_sessionkit.model_store import ModelStore
from django_sessionkit.model_store._facts import Reader
from django_sessionkit.model_store._selections import in_state
from django_sessionkit.model_store.models import Session
from sessionkit.encryption import EncryptedStore
from sessionkit.keys import new_key
from sessionkit.payload import pack_live
from sessionkit.payload import unpack
from sessionkit.testing import FakeClock
from sessionkit.testing import new_record
from sessionkit.testing.fixtures import session_clock as session_clock  # noqa: PLC0414
from tests.attacks.website import SOAK
from tests.django import databases

from .admin_site import end
from .admin_site import is_alive
from .admin_site import names
from .admin_site import owners
from .admin_site import page
from .admin_site import project
from .admin_site import staff
from .admin_site import table
from .admin_site import visitor

DAY = 24 * 60 * 60
STATES: t.Final[tuple[t.Any, ...]] = ("live", "expired", "ended", "unreadable")
SECRET = new_key()


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> cabc.Generator[None, None, None]:
    """The sessions in another database than the users."""
    database = databases.sqlite(tmp_path / "project.sqlite3")

    if request.param != "sqlite":
        server = request.getfixturevalue(f"{request.param}_server")
        kind = databases.mysql if request.param == "mariadb" else databases.postgresql
        database = kind(server.host, server.port)

    with project(database):
        yield


def stored(owner: str | None, **expiry: t.Any) -> SessionStore:
    session = SessionStore()
    session["a"] = 1

    if owner:
        session.bind(owner)

    if expiry:
        session.set_expiry(expiry["at"])

    session.save()
    return session


@pytest.mark.usefixtures("anywhere")
def test_the_database_tells_states_as_the_core_does(session_clock: FakeClock) -> None:
    stored("ann")
    stored(None)
    stored("bob", at=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3))
    stored("cem", at=5 * DAY)
    stored("dan").cycle_key()
    stored("eve").delete()
    Session.objects.using("sessions").create(
        key="0" * 64, payload=b"", version=1, expires_at=2e9, owner="f"
    )
    found = set()

    for limit, days in [(None, 0), (None, 4), (None, 6), (1.5 * DAY, 2), (None, 91)]:
        policy = {"absolute_timeout": limit} if limit else {}
        session_clock.set(time.time() + days * DAY)

        with override_settings(SESSIONKIT={"STORE": "django:?using=sessions", "POLICY": policy}):
            manager, rows = get_manager(), Session.objects.using("sessions").order_by("key")
            reader = Reader(manager, None)
            said = [(row.key, reader.read(row).state) for row in rows]
            selected = [
                (row.key, state) for state in STATES for row in in_state(rows, state, manager)
            ]

        assert sorted(selected) == said
        found |= {state for _key, state in said}

    assert found == {*STATES}


@pytest.mark.usefixtures("anywhere")
def test_who_was_here_today_this_week_this_month(user: User, session_clock: FakeClock) -> None:
    operator = staff(user, "view_session", "delete_session")
    noon = datetime.datetime(2026, 3, 20, 12, tzinfo=datetime.timezone.utc)

    for owner, day in [("last month", -25), ("month", -10), ("week", -5), ("yesterday", -1)]:
        session_clock.set((noon + datetime.timedelta(days=day)).timestamp())
        visitor(owner)

    session_clock.set(noon.timestamp() - 11 * 60 * 60)
    browser = visitor("today")
    session_clock.set(noon.timestamp())

    with override_settings(TIME_ZONE="UTC"):
        operator.force_login(user)
        own = str(user.pk)
        assert owners(operator, seen="today") == sorted(["today", own])
        assert owners(operator, seen="week") == sorted(["today", own, "week", "yesterday"])
        assert owners(operator, seen="month", state="live", q="month") == ["month"]
        assert owners(operator, seen="month", q="last month") == []
        assert end(operator, *names(operator, seen="today", q="today")) == "1 session was ended."

    assert not is_alive(browser)


def make_store() -> EncryptedStore:
    return EncryptedStore(t.cast(t.Any, ModelStore()), [SECRET])


class TestEncrypted:
    @pytest.fixture
    def operator(self, user: User) -> cabc.Generator[Client, None, None]:
        with project(STORE=f"{__name__}.make_store"):
            yield staff(user, "view_session", "delete_session")

    def test_rows_are_decrypted_and_owners_found(self, operator: Client, user: User) -> None:
        visitor("ann", label="Phone")
        visitor("bob")
        assert [row[:4] for row in table(operator, q="ann")] == [["Phone", "-", "ann", "Live"]]
        (own,) = table(operator, q=user.username)
        assert own[1:4] == [user.username, str(user.pk), "Live This session"]
        assert "ann" in owners(operator, state="unexpired")
        assert owners(operator, state="expired") == []
        assert "By last seen" not in page(operator)

    def test_they_are_ended(self, operator: Client) -> None:
        ann, nobody, bob = visitor("ann"), visitor(), visitor("bob")
        chosen = names(operator, q="ann") + names(operator, owner__isempty="1")
        assert "2 sessions were ended." in end(operator, *chosen)
        assert [is_alive(one) for one in (ann, nobody, bob)] == [False, False, True]

    def test_those_of_another_key_can_be_neither_read_nor_ended(self, operator: Client) -> None:
        theirs = EncryptedStore(t.cast(t.Any, ModelStore()), [new_key()])
        theirs.swap("0" * 64, None, new_record(owner="ann"))
        visitor("ann")
        assert [row[2:4] for row in table(operator, q="ann")] == [["ann", "Live"]]
        assert [row[3] for row in table(operator)].count("Unreadable") == 1
        said = end(operator, "0" * 16)
        assert said == "1 session cannot be decrypted and was not ended."
        assert theirs.get("0" * 64) is not None


def fill(count: int) -> None:
    """Store sessions of a thousand owners, seen in the last ten days."""
    manager = get_manager()
    stored("sample")
    (row,) = Session.objects.filter(owner="sample")
    now = manager.clock()
    content: t.Any = unpack(bytes(row.payload))
    header = content.header

    def payload(n: int) -> bytes:
        changed = header._replace(public_id=f"{n:022}", seen_at=now - n % 100 * DAY / 10)
        return pack_live(changed, content.values, {})

    Session.objects.bulk_create(
        (
            Session(
                key=f"{n:064x}",
                payload=payload(n),
                version=1,
                expires_at=now + n,
                owner=f"owner {n % 1000}",
            )
            for n in range(count)
        ),
        batch_size=2_000,
    )


@pytest.mark.attack
@pytest.mark.usefixtures("database")
def test_a_hundred_thousand_sessions(user: User) -> None:
    count = 1_000_000 if SOAK else 100_000

    with project():
        operator = staff(user, "view_session", "delete_session")
        fill(count)

        for query in ({}, {"state": "live"}, {"seen": "today"}, {"q": "owner 7"}, {"p": "1000"}):
            with CaptureQueriesContext(connection) as captured:
                started = time.perf_counter()
                shown = page(operator, **query)
                took = time.perf_counter() - started

            # The session of the one who looks is found by its key.
            fetching = [
                sql
                for sql in (one["sql"] for one in captured)
                if '"payload",' in sql.partition(" FROM ")[0] and 'WHERE "key" = ' not in sql
            ]
            assert len(fetching) == 1
            assert 'class="field-device' in shown
            assert [sql for sql in fetching if " LIMIT 50" not in sql] == []
            assert took < count / 50_000

        assert (
            end(operator, everything=True, q="owner 7") == f"{count // 1000} sessions were ended."
        )
