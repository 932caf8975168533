"""Encrypted sessions in the project's own database: its transactions are respected as ever."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings

from django_sessionkit import get_manager
from django_sessionkit.model_store import ModelStore
from django_sessionkit.model_store.models import Session
from django_sessionkit.transactions import TransactionalManager
from sessionkit.encryption import EncryptedStore
from sessionkit.keys import new_key
from tests.django import databases

from .conftest import Site

ALIAS = "encrypted"
SECRET = new_key()


def make_store() -> EncryptedStore:
    return EncryptedStore(t.cast(t.Any, ModelStore(using=ALIAS)), [SECRET])


@pytest.fixture(autouse=True)
def encrypted(tmp_path: Path) -> cabc.Generator[None, None, None]:
    database = databases.sqlite(tmp_path / "project.sqlite3")
    databases.use(ALIAS, {**database, "ATOMIC_REQUESTS": True})
    databases.migrate(ALIAS)

    with override_settings(SESSIONKIT={"STORE": f"{__name__}.make_store"}):
        yield

    databases.forget(ALIAS)


def put(request: t.Any) -> None:
    request.session["a"] = "a marked value"
    request.session.bind("ann@example.org")
    request.session.save()

    if "back" in request.GET:
        transaction.set_rollback(True, using=ALIAS)


def show(request: t.Any) -> str:
    return f"{request.session.get('a')} {request.session.owner}"


def test_a_session_survives_a_transaction_that_is_rolled_back(site: Site) -> None:
    assert isinstance(get_manager(), TransactionalManager)
    browser = site(put=put, show=show)
    browser.get("/put", {"back": "1"})
    assert browser.get("/show").content == b"a marked value ann@example.org"


def test_the_table_shows_nothing(site: Site) -> None:
    browser = site(put=put, show=show)
    browser.get("/put")
    rows = list(Session.objects.using(ALIAS).values_list())
    assert rows
    assert "marked" not in repr(rows)
    assert "example" not in repr(rows)
    assert get_manager().revoke_all("ann@example.org") == 1
    assert browser.get("/show").content == b"None None"
