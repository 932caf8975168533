"""``SESSIONKIT = {"STORE": "django:"}`` and what has to be there for it."""

from __future__ import annotations

import collections.abc as cabc
import io
import typing as t
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections
from django.test import modify_settings
from django.test import override_settings

from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from django_sessionkit.model_store import ModelStore
from sessionkit import SessionManager
from sessionkit.errors import ConfigurationError
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.django import databases
from tests.django.conftest import use_middleware

ALIAS = "sessions"
APP = "django_sessionkit.model_store"


def use(url: str) -> t.Any:
    return override_settings(SESSIONKIT={"STORE": url})


def the_store() -> ModelStore:
    store = t.cast(SessionManager, get_manager()).store
    assert isinstance(store, ModelStore)
    return store


def checked() -> list[str]:
    return [str(message.id) for message in run_checks() if "sessionkit" in str(message.id)]


@pytest.fixture
def other(tmp_path: Path) -> cabc.Generator[dict[str, t.Any], None, None]:
    """Another database of the project."""
    databases.use(ALIAS, databases.sqlite(tmp_path / "other.sqlite3"))
    yield t.cast(dict[str, t.Any], connections.settings[ALIAS])
    databases.forget(ALIAS)


class Router:
    """Sends reads to a replica that does not have anything yet."""

    def db_for_read(self, model: t.Any, **hints: t.Any) -> str | None:
        return "default" if model._meta.app_label == "sessionkit_store" else None

    def db_for_write(self, model: t.Any, **hints: t.Any) -> str | None:
        return ALIAS if model._meta.app_label == "sessionkit_store" else None

    def allow_migrate(self, db: str, app_label: str, **hints: t.Any) -> bool | None:
        return db == ALIAS if app_label == "sessionkit_store" else None


def test_the_default_database(database: None) -> None:
    with use("django:"):
        assert the_store().alias == "default"
        assert checked() == []
        session = SessionStore()
        session["a"] = 1
        session.save()
        assert SessionStore(session.session_key)["a"] == 1


def test_another_database_and_margin(other: dict[str, t.Any]) -> None:
    with use(f"django:?using={ALIAS}&margin=5"):
        assert (the_store().alias, the_store().margin) == (ALIAS, 5.0)
        assert repr(the_store()) == f"<ModelStore using={ALIAS!r}>"


def test_routers_name_it_and_a_replica_is_not_read(other: dict[str, t.Any]) -> None:
    with use("django:"), override_settings(DATABASE_ROUTERS=[Router()]):
        databases.migrate(ALIAS)
        key, record = new_key(), new_record(owner="ann")
        assert the_store().swap(key, None, record)
        assert the_store().get(key) == record
        assert list(the_store().owned_by("ann", 0.0)) == [key]
        assert list(the_store().keys()) == [key]
        assert the_store().count(0.0) == 1
        assert the_store().clear() == 1


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("django:?using=nowhere", "nowhere"),
        ("django:?margin=soon", "margin"),
        ("django:?margin=-1", "margin"),
        ("django:?margin=nan", "margin"),
        ("django:?timeout=1", "timeout"),
        ("django://host/database", "django:"),
    ],
)
def test_a_wrong_url_is_named(url: str, named: str) -> None:
    with use(url):
        with pytest.raises(ImproperlyConfigured, match=named) as caught:
            get_manager()

        assert isinstance(caught.value, ConfigurationError)
        assert checked() == ["sessionkit.E002"]


def test_without_the_application_there_is_no_table() -> None:
    with modify_settings(INSTALLED_APPS={"remove": APP}), use("django:?margin=7"):
        with pytest.raises(ImproperlyConfigured, match=rf"{APP}.*INSTALLED_APPS.*migrate"):
            get_manager()

        assert checked() == ["sessionkit.E002"]


def test_whoever_does_not_use_it_gets_no_migration() -> None:
    with modify_settings(INSTALLED_APPS={"remove": APP}):
        shown = io.StringIO()
        call_command("showmigrations", stdout=shown)
        assert "sessionkit" not in shown.getvalue()


def test_the_migrations_are_complete() -> None:
    call_command("makemigrations", "sessionkit_store", check=True, dry_run=True, verbosity=0)


def test_a_database_without_autocommit_is_refused(other: dict[str, t.Any]) -> None:
    other["AUTOCOMMIT"] = False

    with use(f"django:?using={ALIAS}"):
        assert checked() == ["sessionkit.E003"]


def test_djangos_own_middleware_is_warned_of(other: dict[str, t.Any]) -> None:
    other["ATOMIC_REQUESTS"] = True

    with use(f"django:?using={ALIAS}"):
        assert checked() == []

        with use_middleware("stock"):
            assert checked() == ["sessionkit.W003"]


def test_what_is_in_the_table_and_is_no_session_is_none(other: dict[str, t.Any]) -> None:
    with use(f"django:?using={ALIAS}"):
        databases.migrate(ALIAS)
        session = SessionStore()
        session["a"] = 1
        session.save()

        for damage in ("payload = 'text'", "payload = x'00ff'", "version = 'x'", "owner = x'ff'"):
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(f"UPDATE sessionkit_store_session SET {damage}")

            assert SessionStore(session.session_key).load() == {}
