"""Sessions within a transaction of the application."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import threading
import typing as t

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import connections
from django.db import transaction

from django_sessionkit.engine import SessionStore
from django_sessionkit.model_store import ModelStore
from django_sessionkit.model_store.models import Session
from sessionkit import SessionManager
from sessionkit.errors import SessionConflict
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.django.conftest import Site
from tests.django.conftest import use_middleware
from tests.django.model_store.support import ALIAS
from tests.django.model_store.support import put
from tests.django.model_store.support import roll_back
from tests.django.model_store.support import show


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
