"""What happens to sessions at a login and at a change of password, told by Django's signals."""

from __future__ import annotations

import contextlib
import typing as t

from django.apps import apps
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models.signals import post_save

from sessionkit.current import current
from sessionkit.devices import device_of
from sessionkit.errors import TooManySessions
from sessionkit.errors import UnsupportedOperation

from . import conf
from .registry import get_manager

_MIDDLEWARE: t.Final = "django_sessionkit.middleware.SessionMiddleware"


def listen() -> None:
    """Connect to the signals; several times do no harm."""
    user_logged_in.connect(_logged_in, dispatch_uid="django_sessionkit")

    if apps.apps_ready and apps.is_installed("django.contrib.auth"):
        post_save.connect(
            _user_saved, sender=settings.AUTH_USER_MODEL, dispatch_uid="django_sessionkit"
        )


def _logged_in(request: t.Any, user: t.Any, **_: t.Any) -> None:
    from .engine import SessionStore

    session = getattr(request, "session", None)

    if not isinstance(session, SessionStore):
        return

    try:
        session.check_limit(str(user.pk))
    except TooManySessions:
        _undo(request)
        raise

    if conf.remember_devices():
        session.describe(**device_of(request.META))


def _undo(request: t.Any) -> None:
    """Leave nothing of a login that was refused."""
    # It needs the application's models, which are there if there is a user.
    from django.contrib.auth.models import AnonymousUser

    async def auser() -> AnonymousUser:
        return AnonymousUser()

    for key in (auth.SESSION_KEY, auth.BACKEND_SESSION_KEY, auth.HASH_SESSION_KEY):
        request.session.pop(key, None)

    if hasattr(request, "user"):
        request.user = AnonymousUser()

    if hasattr(request, "auser"):
        request.auser = auser


def _user_saved(
    instance: t.Any, *, created: bool, raw: bool, using: str, update_fields: t.Any, **_: t.Any
) -> None:
    """End the sessions of a user whose password was changed, but for that of this request.

    Django would take them for anonymous when they are used; until then they would be listed.
    """
    # Where Django itself looks for it. An upgraded hash is no new password, and is not there.
    is_changed = getattr(instance, "_password", None) is not None
    is_saved = update_fields is None or "password" in update_fields

    if created or raw or not is_changed or not is_saved or not _knows_this_request():
        return

    owner = str(instance.pk)

    def end_others() -> None:
        # Without an index Django's check of the password ends them, at their next request.
        with contextlib.suppress(UnsupportedOperation):
            get_manager().revoke_all(owner, except_=current.get(None))

    # An outage is logged: the password is changed in any case, which Django's check will find.
    transaction.on_commit(end_others, using=using, robust=True)


def _knows_this_request() -> bool:
    """Say whether the session of this request, if there is one, is known.

    Under Django's own middleware it is not, and would be ended, too.
    """
    return current.get(None) is not None or _MIDDLEWARE in settings.MIDDLEWARE
