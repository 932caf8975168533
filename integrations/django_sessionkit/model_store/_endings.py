"""Ending rows of the table as sessions: through the manager, so that they stay ended."""

from __future__ import annotations

import collections
import collections.abc as cabc
import dataclasses
import typing as t

from sessionkit.errors import StoreUnavailable

from ._facts import Facts
from ._facts import Reader

if t.TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_sessionkit.transactions import TransactionalManager

    from .models import Session

_PAGE: t.Final = 200


@dataclasses.dataclass
class Outcome:
    """What has become of the rows."""

    #: How many were ended, by owner.
    ended: collections.Counter[str | None] = dataclasses.field(default_factory=collections.Counter)
    #: How many were over already.
    over: int = 0
    #: How many could not be read, such as for want of a key.
    unreadable: int = 0
    #: Whether the session of the one who acts was among them. It goes on.
    spared: bool = False


def end_all(
    rows: QuerySet[Session], manager: TransactionalManager, reader: Reader, outcome: Outcome
) -> None:
    """End the sessions in *rows*, however many; *outcome* is right even if something is raised."""
    for row in _paged(rows):
        facts = reader.read(row)

        if facts.is_current:
            outcome.spared = True
        elif facts.state == "ended":
            outcome.over += 1
        else:
            _end(row.key, facts, manager, outcome)


def _end(key: str, facts: Facts, manager: TransactionalManager, outcome: Outcome) -> None:
    try:
        ended = manager.end_stored(key, facts.owner)
    except StoreUnavailable:
        if facts.state != "unreadable":
            raise

        outcome.unreadable += 1
    else:
        outcome.ended[facts.owner] += ended
        outcome.over += not ended


def _paged(rows: QuerySet[Session]) -> cabc.Iterator[Session]:
    # In pages: what is being read is about to be changed.
    rows = rows.order_by("key")
    after = ""

    while page := list(rows.filter(key__gt=after)[:_PAGE]):
        yield from page
        after = page[-1].key
