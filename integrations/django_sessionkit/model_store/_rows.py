"""Rows of the table as the admin sees them: those of the store in use, known, without their key."""

from __future__ import annotations

import functools
import operator
import re
import typing as t

from django.db.models import Q

from django_sessionkit.registry import get_manager
from django_sessionkit.transactions import TransactionalManager

from ._facts import Reader
from ._users import users_of
from .store import ModelStore

if t.TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from ._facts import Facts
    from .models import Session

#: So much of a key names its row in pages and URLs.
_SHOWN: t.Final = 16
_HIDDEN: t.Final = 64 - _SHOWN
#: How many rows a page shows at most.
_MOST: t.Final = 200
_is_name: t.Final = re.compile(rf"[0-9a-f]{{{_SHOWN}}}").fullmatch


def store_in_use() -> ModelStore | None:
    """Return the store that has the table; None if the sessions are elsewhere."""
    store = getattr(get_manager(), "store", None)
    # What encrypts has another store behind it.
    store = getattr(store, "store", store)
    return store if isinstance(store, ModelStore) else None


def is_encrypted() -> bool:
    """Say whether the database cannot look into the sessions."""
    return manager_in_use().store is not store_in_use()


def manager_in_use() -> TransactionalManager:
    return t.cast(TransactionalManager, get_manager())


def reader_for(request: HttpRequest) -> Reader:
    """Return what reads rows for the one who has sent *request*."""
    return Reader(get_manager(), getattr(request.session, "public_id", None))


def named(rows: QuerySet[Session], *names: str) -> QuerySet[Session]:
    """Return the rows, as far as there are such, that pages call *names*: the first 200."""
    ranges = (
        Q(key__range=(name + "0" * _HIDDEN, name + "f" * _HIDDEN))
        for name in names[:_MOST]
        if _is_name(name)
    )
    found: QuerySet[Session] = rows.filter(functools.reduce(operator.or_, ranges, Q(key="")))
    return found


def known(rows: QuerySet[Session], request: HttpRequest) -> list[Session]:
    """Return *rows* with their facts, and with nothing of their key but what names them."""
    reader = reader_for(request)
    found = [(row, reader.read(row)) for row in rows]
    users = users_of(facts.owner for _row, facts in found)

    for row, facts in found:
        vars(row)["facts"] = facts._replace(user=users.get(facts.owner or ""))
        row.key = row.key[:_SHOWN]

    return [row for row, _facts in found]


def facts_of(row: Session) -> Facts:
    """Return what :func:`known` has found out."""
    facts: Facts = vars(row)["facts"]
    return facts
