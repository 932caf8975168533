"""The tests that every store must pass."""

from __future__ import annotations

from ._capabilities import CapabilityTests
from ._contract import ContractTests
from ._races import RaceTests


class StoreConformance(ContractTests, CapabilityTests, RaceTests):
    """What :mod:`sessionkit.store` promises, as tests for pytest. Subclass it::

        class TestMyStore(StoreConformance):
            capabilities = frozenset({Moving, Owned})

            @pytest.fixture
            def store(self, tmp_path):
                return MyStore(tmp_path)

            def opener(self, store):
                return functools.partial(MyStore, store.path)

    The fixture ``store`` is all that is needed. It returns an empty store; the tests use the real
    time. Further: :attr:`capabilities`, if the tests shall check that the store has exactly these;
    :meth:`opener`, without which everything that needs a second process is skipped;
    :meth:`neighbour`, another store in the same engine that must not notice anything;
    :attr:`margin`, if the store of the tests does not have the default one; :attr:`rounds`.

    Capabilities that the store does not have are skipped.
    """
