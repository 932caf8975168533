"""What has been ended: told to the one who did it, and to the admin's log."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from django.contrib import messages
from django.contrib.admin.models import DELETION
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ._endings import Outcome
from ._users import users_of
from .models import Session

if t.TYPE_CHECKING:
    from django.http import HttpRequest

_LONGEST: t.Final = 150


def log(request: HttpRequest, outcome: Outcome) -> None:
    """Write into the admin's log whose sessions were ended, and how many. No id is in it."""
    users = users_of(outcome.ended)
    user: t.Any = request.user
    kind = ContentType.objects.get_for_model(Session)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user.pk,
            content_type_id=kind.pk,
            object_repr=_described(count, owner, users.get(owner or "")),
            action_flag=DELETION,
            change_message=_("Ended."),
        )
        for owner, count in outcome.ended.items()
        if count
    )


def _described(count: int, owner: str | None, user: object) -> str:
    if owner is None:
        return ngettext("%d session without owner", "%d sessions without owner", count) % count

    name = (owner if user is None else str(user))[:_LONGEST]
    text = ngettext("%(count)d session of %(name)s", "%(count)d sessions of %(name)s", count)
    return text % {"count": count, "name": name}


def told(outcome: Outcome) -> cabc.Iterator[tuple[int, str]]:
    """Yield messages and their levels."""
    if ended := sum(outcome.ended.values()):
        text = ngettext("%d session was ended.", "%d sessions were ended.", ended)
        yield messages.SUCCESS, text % ended

    if over := outcome.over:
        text = ngettext("%d session was over already.", "%d sessions were over already.", over)
        yield messages.INFO, text % over

    if unreadable := outcome.unreadable:
        text = ngettext(
            "%d session cannot be decrypted and was not ended.",
            "%d sessions cannot be decrypted and were not ended.",
            unreadable,
        )
        yield messages.WARNING, text % unreadable

    if outcome.spared:
        yield messages.INFO, _("Your own session goes on. Log out as usual.")

    if not (ended or over or unreadable or outcome.spared):
        yield messages.INFO, _("What was selected is gone already.")
