"""The conformance suite for another way to an engine whose races are run elsewhere in full."""

from __future__ import annotations

import pytest

from sessionkit.store import Store
from sessionkit.testing import StoreConformance


class FewProcesses(StoreConformance):
    """One race between processes everywhere, the others where attacks are run."""

    @pytest.mark.attack
    def test_processes_create(self, store: Store) -> None:
        super().test_processes_create(store)

    @pytest.mark.attack
    def test_processes_replace(self, store: Store) -> None:
        super().test_processes_replace(store)

    @pytest.mark.attack
    def test_processes_move(self, store: Store) -> None:
        super().test_processes_move(store)

    @pytest.mark.attack
    def test_processes_count(self, store: Store) -> None:
        super().test_processes_count(store)

    @pytest.mark.attack
    def test_processes_change_owners(self, store: Store) -> None:
        super().test_processes_change_owners(store)

    @pytest.mark.attack
    def test_processes_end(self, store: Store) -> None:
        super().test_processes_end(store)
