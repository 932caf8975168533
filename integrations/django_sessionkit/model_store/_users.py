"""Whose sessions: from owners to the project's users, and back."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import typing as t

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError


def users_of(owners: cabc.Iterable[str | None]) -> dict[str, t.Any]:
    """Return the users whose primary key is one of *owners*, in one query."""
    model: t.Any = get_user_model()
    field: t.Any = model._meta.pk
    keys: set[t.Any] = set()

    while field.remote_field is not None:
        # It would ask the database about each.
        field = field.target_field

    for owner in owners:
        # Others are owners of another kind, such as an e-mail address.
        with contextlib.suppress(ValidationError):
            # With its validators: not every number fits into a database's column.
            keys.add(field.clean(owner, None))

    found: dict[t.Any, t.Any] = model._default_manager.in_bulk(keys) if keys else {}
    return {str(key): user for key, user in found.items()}


def owners_called(name: str) -> set[str]:
    """Return the owners that *name* may mean: itself, and the user of that name."""
    model: t.Any = get_user_model()
    users = model._default_manager.filter(**{model.USERNAME_FIELD: name})
    return {name, *(str(key) for key in users.values_list("pk", flat=True))}
