"""What a row of the table says about its session: facts, names and sizes, no values."""

from __future__ import annotations

import collections.abc as cabc
import copy
import typing as t

from sessionkit.base_manager import BaseManager
from sessionkit.errors import DecodeError
from sessionkit.errors import NewerFormat
from sessionkit.errors import StoreUnavailable
from sessionkit.owners import SessionInfo
from sessionkit.payload import Live
from sessionkit.payload import unpack
from sessionkit.store import Record

if t.TYPE_CHECKING:
    from .models import Session

State: t.TypeAlias = t.Literal["live", "expired", "ended", "unreadable"]


class Facts(t.NamedTuple):
    """What is known about one row.

    :param reason: why it was ended, if it was.
    :param info: what the devices page says about it; None if it was ended or cannot be read.
    :param sizes: the names of the keys and of the flashes, and their bytes.
    :param user: whose it is, if the owner is the primary key of one of the project's users.
    """

    state: State
    owner: str | None
    size: int
    reason: str | None = None
    info: SessionInfo | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    user: t.Any = None

    @property
    def is_current(self) -> bool:
        """Whether it is the session of the one who looks."""
        return self.info is not None and self.info.is_current


class Reader:
    """Reads rows that were fetched already.

    :param manager: whose sessions they are; its store may encrypt them.
    :param current: the public id of the session of the one who looks.
    """

    def __init__(self, manager: BaseManager, current: str | None) -> None:
        self._manager = manager
        self._current = current
        self._rows: dict[str, Record] = {}
        store = t.cast(t.Any, manager).store
        self._open: cabc.Callable[[str], Record | None] = self._rows.get

        if hasattr(store, "store"):
            # It decrypts what another store has: here the rows.
            opener: t.Any = copy.copy(store)
            opener.store = _Rows(self._rows)
            self._open = opener.get

    def read(self, row: Session) -> Facts:
        """Return what is known about *row*, which must have its whole key."""
        if not isinstance(row.payload, bytes | memoryview):
            return Facts("unreadable", row.owner, 0)

        payload = bytes(row.payload)
        self._rows[row.key] = Record(payload, row.version, row.expires_at, row.owner)

        try:
            record = self._open(row.key)
            content = None if record is None else unpack(record.payload)
        except (DecodeError, NewerFormat, StoreUnavailable):
            record = content = None
        finally:
            self._rows.clear()

        if record is None or content is None:
            return Facts("unreadable", row.owner, len(payload))

        if isinstance(content, Live):
            return self._live(record, content)

        return Facts("ended", record.owner, len(record.payload), content.reason)

    def _live(self, record: Record, content: Live) -> Facts:
        header = content.header
        manager = self._manager
        is_over = min(record.expires_at, manager.policy.deadline(header)) <= manager.clock()
        flashes = {f"flash: {name}": value for name, value in content.flash.items()}
        info = SessionInfo(
            header.public_id,
            header.created_at,
            header.seen_at,
            record.expires_at,
            manager.meta_of(header),
            header.public_id == self._current,
        )
        return Facts(
            "expired" if is_over else "live",
            record.owner,
            len(record.payload),
            None,
            info,
            tuple((name, len(value)) for name, value in {**content.values, **flashes}.items()),
        )


class _Rows:
    """The only method of a store that is needed to read."""

    def __init__(self, rows: cabc.Mapping[str, Record]) -> None:
        self.get = rows.get
