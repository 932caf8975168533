"""Removing expired sessions a few at a time, so that no site needs a nightly job for it."""

from __future__ import annotations

import collections.abc as cabc
import itertools
import logging
import typing as t

from .errors import StoreUnavailable
from .store import Store
from .store import Sweepable
from .store import offers

_logger = logging.getLogger("sessionkit")

#: How many are removed for each that was created: every login leaves a stub beside its session.
PER_SESSION = 5


class Housekeeping:
    """Sweeps a store a little after every so many new sessions of a process.

    They are counted, not left to chance: the commands that a test counts are always the same.

    :param store: engines that forget expired records by themselves have no ``sweep``: nothing is
        done then.
    :param every: after how many new sessions; None: never.
    :param clock: returns POSIX seconds.
    """

    def __init__(self, store: Store, every: int | None, clock: cabc.Callable[[], float]) -> None:
        self._store: t.Any = store
        self._every = every if offers(store, Sweepable) else None
        self._clock = clock
        self._created = itertools.count(1)

    def session_created(self) -> None:
        """Sweep if it is time to. An outage is only logged."""
        if self._every is None or next(self._created) % self._every:
            return

        if hasattr(self._store, "in_transaction") and self._store.in_transaction():
            # What is deleted in a transaction of the application stays locked until it is over.
            self._store.when_committed(self._sweep)
        else:
            self._sweep()

    def _sweep(self) -> None:
        try:
            self._store.sweep(self._clock(), PER_SESSION * t.cast(int, self._every))
        except StoreUnavailable as error:
            # The session has been created, and the next sweep does the work of this one.
            _logger.warning("expired sessions could not be removed: %s", error)
