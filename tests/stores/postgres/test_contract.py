"""What every store must do, on PostgreSQL."""

from __future__ import annotations

import functools
import typing as t

import pytest

from sessionkit.store import Store
from sessionkit.testing import StoreConformance
from tests.stores.postgres.support import CAPABILITIES
from tests.stores.postgres.support import patient_store


class TestPostgresStore(StoreConformance):
    capabilities: t.ClassVar = CAPABILITIES

    @pytest.fixture
    def store(self, url: str) -> Store:
        self.url = url
        return patient_store(url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(patient_store, self.url)

    def neighbour(self, store: Store) -> Store:
        neighbour = patient_store(self.url, table="neighbours")
        neighbour.create_schema()
        neighbour.clear()
        return neighbour


@pytest.mark.attack
@pytest.mark.slow
class TestPostgresStoreWithoutPreparingAnythingUnderAnotherIsolation(StoreConformance):
    """As through PgBouncer, to a database whose transactions see only what was when they began."""

    capabilities: t.ClassVar = CAPABILITIES
    rounds = 10

    @pytest.fixture
    def store(self, url: str) -> Store:
        self.url = f"{url}?options=-c%20default_transaction_isolation%3Drepeatable%5C%20read"
        return patient_store(self.url, prepare=False)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(patient_store, self.url, prepare=False)
