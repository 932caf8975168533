"""What the core's sessions have and Django's do not: owners, flash, policies, other cookies."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import typing as t

from django.core.exceptions import ImproperlyConfigured

from sessionkit.draft import EndedReason
from sessionkit.draft import State
from sessionkit.flash import Flash
from sessionkit.policy import Outage

from .mapping import SessionMapping


class SessionExtras(SessionMapping):
    """What ``sessionkit.Session`` has, beside what Django has."""

    @property
    def owner(self) -> str | None:
        """Whose session it is: the primary key of the user, as text."""
        self._load_core()
        self.settle()
        return self.core.owner

    @property
    def passive(self) -> bool:
        return self.core.passive

    @passive.setter
    def passive(self, value: bool) -> None:
        self.core.passive = value

    @property
    def outage(self) -> Outage:
        return self.core.outage

    @outage.setter
    def outage(self, meaning: Outage) -> None:
        self.core.outage = meaning

    @property
    def public_id(self) -> str | None:
        return self.core.public_id

    @property
    def token(self) -> str | None:
        return self.core.token

    @property
    def state(self) -> State:
        return self.core.state

    @property
    def ended_reason(self) -> EndedReason | None:
        return self.core.ended_reason

    @property
    def available(self) -> bool:
        return self.core.available

    @property
    def is_new(self) -> bool:
        return self.core.is_new

    @property
    def meta(self) -> dict[str, t.Any]:
        return self.core.meta

    @property
    def created_at(self) -> datetime.datetime | None:
        return self.core.created_at

    @property
    def expires_at(self) -> datetime.datetime | None:
        return self.core.expires_at

    @property
    def flash(self) -> Flash:
        return self.core.flash

    def set(self, key: str, value: t.Any, *, ttl: float | datetime.timedelta | None = None) -> None:
        self.core.set(key, value, ttl=ttl)
        self._modified = True

    def ttl(self, key: str) -> float | None:
        return self.core.ttl(key)

    def offer(self, key: str, make_default: cabc.Callable[[], t.Any]) -> t.Any:
        return self.core.offer(key, make_default)

    def mutate(
        self, key: str, function: cabc.Callable[[t.Any], t.Any], default: t.Any = None
    ) -> t.Any:
        self._modified = True
        return self.core.mutate(key, function, default)

    def bind(self, owner: str | int, *, keep: cabc.Collection[str] = (), **meta: t.Any) -> None:
        self.core.bind(owner, keep=keep, **meta)
        self._modified = True

    def check_limit(self, owner: str | int) -> None:
        self.core.check_limit(owner)

    def describe(self, **meta: t.Any) -> None:
        self._load_core()
        # A login of Django's binds, which would forget what was said before.
        self.settle()
        self._modified = True
        self.core.describe(**meta)

    def unbind(self, *, keep: cabc.Collection[str] = ()) -> None:
        self._modified = True
        self.core.unbind(keep=keep)

    def set_cookie(self, name: str, value: str, **options: t.Any) -> None:
        self._check_middleware()
        self.core.set_cookie(name, value, **options)

    def delete_cookie(self, name: str, **options: t.Any) -> None:
        self._check_middleware()
        self.core.delete_cookie(name, **options)

    def _check_middleware(self) -> None:
        if not self._committed_for:
            raise ImproperlyConfigured(
                "only django_sessionkit.middleware.SessionMiddleware sends such cookies"
            )

    def get_cookie(self, name: str, *, signed: bool = False) -> str | None:
        return self.core.get_cookie(name, signed=signed)

    def renew(self) -> None:
        self._modified = True
        self.core.renew()

    def destroy(self) -> None:
        """The same as :meth:`flush`."""
        self.flush()
