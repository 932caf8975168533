"""What the tests of the model store share."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction

ALIAS = "sessions"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def roll_back(request: t.Any = None) -> None:
    transaction.set_rollback(True, using=ALIAS)


def put(request: t.Any) -> None:
    request.session[request.GET.get("key", "a")] = 1


def show(request: t.Any) -> list[str]:
    return sorted(request.session.keys())


def enter(user: User) -> cabc.Callable[[t.Any], None]:
    return lambda request: login(request, user, BACKEND)
