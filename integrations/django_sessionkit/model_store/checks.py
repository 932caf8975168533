"""System checks of the database in which the sessions are. Nothing is connected to."""

from __future__ import annotations

import typing as t

from django.conf import settings
from django.core import checks

from django_sessionkit import conf
from django_sessionkit.registry import open_url
from sessionkit.errors import ConfigurationError

from .store import ModelStore

_STOCK: t.Final = "django.contrib.sessions.middleware.SessionMiddleware"


def check_database(**_: t.Any) -> list[checks.CheckMessage]:
    """Check how the database of the sessions does transactions."""
    store = _store()

    if store is None:
        return []

    database = settings.DATABASES[store.alias]
    found: list[checks.CheckMessage] = []

    if not database.get("AUTOCOMMIT", True):
        found.append(
            checks.Error(
                f"The sessions are in DATABASES[{store.alias!r}], whose AUTOCOMMIT is off, so "
                "nobody would commit them.",
                id="sessionkit.E003",
            )
        )

    if database.get("ATOMIC_REQUESTS") and _STOCK in settings.MIDDLEWARE:
        found.append(
            checks.Warning(
                "With ATOMIC_REQUESTS and Django's own SessionMiddleware a logout is undone if the "
                "view's transaction is rolled back.",
                hint="Use django_sessionkit.middleware.SessionMiddleware.",
                id="sessionkit.W003",
            )
        )

    return found


def _store() -> ModelStore | None:
    try:
        made_from = conf.store()
        store = open_url(made_from) if isinstance(made_from, str) else made_from
    except ConfigurationError:
        return None  # which is told by another check

    return store if isinstance(store, ModelStore) else None
