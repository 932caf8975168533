"""What Django says by means of keys in the session, told to the core: the user and the expiry.

Read off the keys when the session is saved, so that it holds for ``login()``, for the test client
and for whatever else writes them.
"""

from __future__ import annotations

import collections.abc as cabc
import datetime

from django.contrib.auth import SESSION_KEY
from django.utils import timezone

from sessionkit import Session
from sessionkit.draft import Draft
from sessionkit.draft import Intent

EXPIRY_KEY = "_session_expiry"


def follow_login(
    session: Session, draft: Draft, *, written: cabc.Collection[str], renewed: bool
) -> None:
    """Make the user whom ``django.contrib.auth`` has now logged in the session's owner.

    :param written: keys that this request has written, which stay if the owner changes.
    :param renewed: whether the id was made in this request, so that it need not be another one.
    """
    values = draft.values

    if SESSION_KEY not in values.current:
        if draft.intent is not Intent.END and draft.state == "live":
            session.unbind(keep=written)

        return

    user = values.get(SESSION_KEY)

    if draft.owner != str(user):
        session.bind(user, keep=written)

        if renewed and draft.intent is Intent.BIND and draft.state == "live":
            draft.intent = Intent.KEEP


def follow_expiry(session: Session, draft: Draft) -> None:
    """Give the session the life that ``set_expiry`` has now asked for."""
    values = draft.values
    expiry = values.get(EXPIRY_KEY) if EXPIRY_KEY in values.current else None
    idle: float | None = None
    until: float | None = None

    if isinstance(expiry, str):
        until = _aware(datetime.datetime.fromisoformat(expiry)).timestamp()
    elif expiry and expiry < 0:
        until = session.manager.clock() + expiry
    else:
        idle = expiry or None

    draft.header = draft.header._replace(
        idle=idle, until=until, transient=None if expiry is None else expiry == 0
    )
    draft.expiry_set = True


def _aware(moment: datetime.datetime) -> datetime.datetime:
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
