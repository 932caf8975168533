"""Ending sessions, whatever became of their ids meanwhile."""

from __future__ import annotations

import collections.abc as cabc

from .draft import EndedReason
from .errors import StoreUnavailable
from .gateway import Gateway
from .patience import Lines
from .payload import is_no_stub
from .records import Records
from .records import is_stub
from .records import successor_of
from .store import Record


class Endings:
    """Ends sessions for a manager. Unlike reading and writing, ending follows replaced ids.

    :param gateway: the way to the store.
    :param records: makes what is left.
    :param clock: returns POSIX seconds.
    :param lines: where the requests of this process wait that change the same session.
    """

    def __init__(
        self,
        gateway: Gateway,
        records: Records,
        clock: cabc.Callable[[], float],
        lines: Lines,
    ) -> None:
        self._gateway = gateway
        self._records = records
        self._clock = clock
        self._lines = lines

    def end(
        self,
        key: str,
        record: Record | None,
        wanted: cabc.Callable[[Record], bool] | None = None,
        reason: EndedReason | None = None,
    ) -> bool | None:
        """End what is stored under *key*, or what replaced it.

        :param wanted: one of which it says no is left alone; None: end any.
        :param reason: what is left under the id for a while, so that its user can be told; None:
            nothing is.
        :return: False if it was over already, and the reason is there; None if there is nothing to
            end.
        """
        if record is None:
            return None

        if not is_no_stub(record.payload):
            return self._follow(key, record, wanted, reason)

        if wanted is not None and not wanted(record):
            return None

        # As nearly always: nobody has changed it since it was read, so there is nobody to wait for.
        if self._replace(key, record, reason):
            return True

        return self._follow(key, None, wanted, reason)

    def _follow(
        self,
        key: str,
        record: Record | None,
        wanted: cabc.Callable[[Record], bool] | None,
        reason: EndedReason | None,
    ) -> bool | None:
        """End what is under *key* by now, or what replaced it.

        :param record: what is known to be there; None: somebody else has just changed it.
        """
        followed: set[str] = set()

        with self._lines.patience(key) as patience:
            if record is None:
                patience.wait()
                record = self._gateway.get(key)

            while record is not None:
                successor = successor_of(record)

                if successor is not None:
                    # Only a damaged or hostile store leads back to where we were.
                    followed.add(key)
                    key = successor
                    record = None if key in followed else self._gateway.get(key)
                elif is_stub(record):
                    return False
                elif wanted is not None and not wanted(record):
                    return None
                elif self._replace(key, record, reason):
                    return True
                else:
                    patience.wait()
                    record = self._gateway.get(key)

        return None

    def _replace(self, key: str, record: Record, reason: EndedReason | None) -> bool:
        """Put the reason in the place of a record, or nothing."""
        if reason is not None:
            stub = self._records.ended(record, reason, self._clock())

            try:
                return self._gateway.swap(key, record, stub)
            except StoreUnavailable:
                # A full store has no room for a reason, and still deletes.
                pass

        return self._gateway.delete(key, record)
