"""The admin's filters: by state, and by when a session was last seen."""

from __future__ import annotations

import datetime
import typing as t

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_sessionkit.registry import get_manager

from ._facts import State
from ._selections import in_state
from ._selections import seen_since

if t.TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from .models import Session


class StateFilter(admin.SimpleListFilter):
    """Live, expired, or ended and remembered for a while."""

    title: t.Any = _("state")
    parameter_name: str | None = "state"

    def lookups(self, request: HttpRequest, model_admin: t.Any) -> list[tuple[str, t.Any]]:
        return [
            ("live", _("Live")),
            ("expired", _("Expired")),
            ("ended", _("Ended")),
            ("unreadable", _("Unreadable")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        state = checked(self)

        if state is None:
            return queryset

        return in_state(queryset, t.cast(State, state), get_manager())


class ExpiryFilter(admin.SimpleListFilter):
    """All that the database knows about sessions that are encrypted."""

    title: t.Any = _("state")
    parameter_name: str | None = "state"

    def lookups(self, request: HttpRequest, model_admin: t.Any) -> list[tuple[str, t.Any]]:
        return [("unexpired", _("Not expired")), ("expired", _("Expired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        now = get_manager().clock()
        state = checked(self)

        if state is None:
            return queryset

        is_expired = Q(expires_at__lte=now)
        found: QuerySet[Session] = queryset.filter(
            is_expired if state == "expired" else ~is_expired
        )
        return found


class SeenFilter(admin.SimpleListFilter):
    """The last write, or the last extension of its life, by the calendar of the server."""

    title: t.Any = _("last seen")
    parameter_name: str | None = "seen"

    def lookups(self, request: HttpRequest, model_admin: t.Any) -> list[tuple[str, t.Any]]:
        return [("today", _("Today")), ("week", _("Past 7 days")), ("month", _("This month"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        period = checked(self)

        if period is None:
            return queryset

        zone = timezone.get_current_timezone()
        now = datetime.datetime.fromtimestamp(get_manager().clock(), zone)
        since = now.replace(hour=0, minute=0, second=0, microsecond=0)

        if period == "week":
            since -= datetime.timedelta(days=7)
        elif period == "month":
            since = since.replace(day=1)

        return seen_since(queryset, since.timestamp())


def checked(chosen: admin.SimpleListFilter) -> str | None:
    """Return what was chosen; None: nothing.

    :raises IncorrectLookupParameters: if there is no such choice. All rows would be the wrong
        answer: somebody may end what is shown.
    """
    value = chosen.value()

    if value is not None and value not in {name for name, _text in chosen.lookup_choices}:
        raise IncorrectLookupParameters

    return value
