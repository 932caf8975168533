"""One login for Django, Flask and plain WSGI: the session's owner is Django's user."""

from __future__ import annotations

import typing as t

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.middleware import AuthenticationMiddleware as DjangoMiddleware
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError
from django.utils.functional import SimpleLazyObject

from .engine import SessionStore

if t.TYPE_CHECKING:
    from django.http import HttpRequest

User = AbstractBaseUser | AnonymousUser


class OwnerBackend(BaseBackend):
    """Finds the user whom a session's owner names: by primary key, if active.

    Add it to ``AUTHENTICATION_BACKENDS`` to accept logins that were made outside of Django.
    Subclass it where owners are something else, such as e-mail addresses.
    """

    def user_of(self, owner: str) -> AbstractBaseUser | None:
        """Return the user called *owner* in ``session.bind(owner)``, or None."""
        try:
            user: AbstractBaseUser = auth.get_user_model()._default_manager.get(pk=owner)
        except (ObjectDoesNotExist, ValidationError, ValueError, OverflowError):
            return None

        return user

    def get_user(self, user_id: t.Any) -> AbstractBaseUser | None:
        user = self.user_of(str(user_id))
        return user if user is not None and user.is_active else None


class AuthenticationMiddleware(DjangoMiddleware):
    """Takes the place of ``django.contrib.auth.middleware.AuthenticationMiddleware``.

    ``request.user`` is the session's owner, whoever has logged in there; looked up when it is first
    used. If the session says that Django's user is somebody else, it is ended.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        user = SimpleLazyObject(lambda: get_user(request))

        async def auser() -> User:
            return await sync_to_async(get_user)(request)

        request.user = t.cast(t.Any, user)
        request.auser = t.cast(t.Any, auser)


def get_user(request: HttpRequest) -> User:
    """Return the user of *request*, always the same object."""
    cached: User | None = getattr(request, "_cached_user", None)

    if cached is None:
        cached = _find_user(request)
        request._cached_user = cached  # type: ignore[attr-defined]

    return cached


def _find_user(request: HttpRequest) -> User:
    session = request.session

    if not isinstance(session, SessionStore):
        return auth.get_user(request)

    owner = session.owner

    if auth.SESSION_KEY not in session:
        return (_user_of(owner) if owner is not None else None) or AnonymousUser()

    # A session that another request has just replaced has no owner, and is not ours to end.
    if session.state == "live" and str(session[auth.SESSION_KEY]) != owner:
        session.flush()
        return AnonymousUser()

    return auth.get_user(request)


def _user_of(owner: str) -> AbstractBaseUser | None:
    for path in settings.AUTHENTICATION_BACKENDS:
        backend = auth.load_backend(path)

        if isinstance(backend, OwnerBackend):
            user = backend.get_user(owner)

            if user is not None:
                user.backend = path
                return user

    return None
