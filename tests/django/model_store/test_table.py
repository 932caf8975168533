"""What is in the table, and what if there is none."""

from __future__ import annotations

import time

import pytest
from django.core.management import call_command

from django_sessionkit.model_store import ModelStore
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.django import databases
from tests.django.model_store.support import ALIAS


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
    databases.unmigrate(ALIAS)

    with pytest.raises(StoreUnavailable, match=f"migrate --database {ALIAS}") as caught:
        store.get(new_key())

    assert not caught.value.unreachable
    databases.migrate(ALIAS)
    assert store.get(new_key()) is None
