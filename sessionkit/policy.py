"""How long sessions live, how large they get and what an outage means. Frozen and validated."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import datetime
import math
import typing as t

from .cookie import MAX_AGE_LIMIT
from .cookie import is_token
from .errors import ConfigurationError
from .payload import Header

Seconds = float | datetime.timedelta | None

#: What it means to a request that its session cannot be read.
Outage = t.Literal["error", "unavailable"]

#: What a login does whose owner has as many sessions as are allowed.
AtLimit = t.Literal["end_oldest", "refuse"]

Environ = cabc.Mapping[str, t.Any]

#: The expiry of a session without any limit: the last second of the year 9999.
NEVER = 253402300799.0

#: The part of the idle time that must have passed before a mere read extends a session's life.
REFRESH_AFTER = 0.1

_DAY = 24 * 60 * 60.0


@dataclasses.dataclass(frozen=True)
class SessionPolicy:
    """Limits of sessions. Durations are seconds or ``timedelta``; None is no limit.

    :param idle_timeout: from the last use, judged on the server.
    :param absolute_timeout: from the login or, before it, from the creation.
    :param ownerless_timeout: a shorter idle limit for sessions without an owner; None: no shorter.
    :param transient: the cookie ends with the browser, unless ``session.permanent`` is set.
    :param outage: what a request sees whose session cannot be read: ``"error"``: the access raises
        ``StoreUnavailable``, answered 503; ``"unavailable"``: an empty session that keeps nothing.
        Or a function that gets the request's environ (in Django ``request.META``) and returns one
        of these.
    :param passive: a function that gets the environ and says whether the request is passive, so
        that it does not extend the session's life, see ``Session.passive``.
    :param passive_header: the name of a header with which a client says so.
    :param commit_timeout: how long a request tries to save while others write the same session.
    :param stub_timeout: how long a replaced id is recognized as replaced.
    :param ended_timeout: how long an id whose session was revoked or evicted tells why it is over.
    :param max_sessions_per_owner: how many sessions one owner may have at a time.
    :param at_limit: what a login beyond that does: ``"end_oldest"``: it ends the session that was
        seen longest ago; ``"refuse"``: ``session.bind`` raises ``TooManySessions``. Of logins at
        the same moment a few too many may succeed; the next one makes up for it.
    :param max_payload: bytes of a whole session in the store.
    :param form_tokens: keys that a replaced id still shows, so that a form that was sent twice
        passes its CSRF check. Dropped when the owner changes.
    :param queues: keys whose lists are merged item by item, such as Flask's ``_flashes``.
    :param breaker_failures: failed connections in a row after which a store's node is left alone.
    :param breaker_pause: for how long, before one request tries it again.
    :param sweep_every: after how many new sessions of a process some expired ones are removed from
        a store that does not do that by itself; None: only ``manager.purge()`` removes any.
    :raises ConfigurationError: if a value makes no sense.

    >>> SessionPolicy(idle_timeout=datetime.timedelta(hours=1)).idle_timeout
    3600.0
    """

    idle_timeout: Seconds = 14 * _DAY
    absolute_timeout: Seconds = 90 * _DAY
    ownerless_timeout: Seconds = 1 * _DAY
    transient: bool = False
    outage: Outage | cabc.Callable[[Environ], Outage] = "error"
    passive: cabc.Callable[[Environ], object] | None = None
    passive_header: str | None = None
    commit_timeout: float = 2.0
    stub_timeout: float = 60.0
    ended_timeout: float = 3600.0
    max_sessions_per_owner: int | None = None
    at_limit: AtLimit = "end_oldest"
    max_payload: int = 1024 * 1024
    form_tokens: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    breaker_failures: int = 3
    breaker_pause: float = 1.0
    sweep_every: int | None = 100

    if t.TYPE_CHECKING:
        _idle: t.ClassVar[float]
        _ownerless: t.ClassVar[float]
        _absolute: t.ClassVar[float]

    def __post_init__(self) -> None:
        for name in ("idle_timeout", "absolute_timeout", "ownerless_timeout"):
            object.__setattr__(self, name, seconds(getattr(self, name), name))

        for name in ("commit_timeout", "stub_timeout", "ended_timeout", "breaker_pause"):
            duration = seconds(getattr(self, name), name)

            if duration is None:
                raise ConfigurationError(f"policy.{name} must be a number of seconds, not None")

            object.__setattr__(self, name, duration)

        for name in ("max_payload", "breaker_failures", "sweep_every", "max_sessions_per_owner"):
            value = getattr(self, name)

            if value is None and name in ("sweep_every", "max_sessions_per_owner"):
                continue

            if type(value) is not int or value < 1:
                raise ConfigurationError(f"policy.{name} must be a positive whole number")

        if self.at_limit not in ("end_oldest", "refuse"):
            raise ConfigurationError("policy.at_limit must be 'end_oldest' or 'refuse'")

        for name in ("form_tokens", "queues"):
            object.__setattr__(self, name, _keys(getattr(self, name), name))

        if not callable(self.outage):
            checked_outage(self.outage, "policy.outage")

        if self.passive is not None and not callable(self.passive):
            raise ConfigurationError("policy.passive must be a function of the environ, or None")

        if self.passive_header is not None and not is_token(self.passive_header):
            raise ConfigurationError("policy.passive_header must be the name of a header, or None")

        if type(self.transient) is not bool:
            raise ConfigurationError("policy.transient must be True or False")

        # Asked for in every request; infinite where there is no limit.
        object.__setattr__(self, "_idle", _limit(self.idle_timeout))
        object.__setattr__(self, "_ownerless", min(self._idle, _limit(self.ownerless_timeout)))
        object.__setattr__(self, "_absolute", _limit(self.absolute_timeout))

    @property
    def knows_routes(self) -> bool:
        """Whether requests differ in what they want of their session."""
        return bool(self.passive or self.passive_header or callable(self.outage))

    def outage_for(self, environ: Environ) -> Outage:
        """Return what an outage means to a request.

        :raises ConfigurationError: if the function that says so returns something else.
        """
        if not callable(self.outage):
            return self.outage

        return checked_outage(self.outage(environ), "what policy.outage returns")

    def is_passive(self, environ: Environ) -> bool:
        """Say whether a request leaves its session to age."""
        if self.passive is not None and self.passive(environ):
            return True

        if self.passive_header is None:
            return False

        key = f"HTTP_{self.passive_header.upper().replace('-', '_')}"
        return environ.get(key, "").strip() not in ("", "0")

    def idle_limit(self, header: Header, owner: str | None) -> float:
        """Return after how many seconds without use such a session ends; may be infinite."""
        if header.idle is not None:
            return header.idle

        return self._ownerless if owner is None else self._idle

    def deadline(self, header: Header) -> float:
        """Return the POSIX time at which such a session ends however much it is used."""
        end = header.started_at + self._absolute

        if header.until is not None and header.until < end:
            end = header.until

        return min(NEVER, end)

    def expires_at(self, header: Header, owner: str | None, now: float) -> float:
        """Return the POSIX time at which such a session ends if it is not used after *now*."""
        idle = math.inf if header.until is not None else self.idle_limit(header, owner)
        return min(now + idle, self.deadline(header))

    def is_refresh_due(
        self, header: Header, owner: str | None, expires_at: float, now: float
    ) -> bool:
        """Say whether such a session, which ends at *expires_at*, shall live longer by a mere read.

        Most requests ask and are told no, so the deadline is only asked for if it matters.
        """
        idle = self.idle_limit(header, owner)
        enough = idle * REFRESH_AFTER
        gained = now + idle - expires_at if header.until is None else math.inf
        return gained >= enough and min(gained, self.deadline(header) - expires_at) >= enough

    def is_transient(self, header: Header) -> bool:
        """Say whether the cookie of such a session ends with the browser."""
        return self.transient if header.transient is None else header.transient

    def max_age(self, header: Header, now: float) -> int | None:
        """Return how many seconds the browser shall keep the cookie; None: until it is closed.

        The cookie is only sent again for a new id, so it lives as long as the session may at most;
        the idle limit is enforced on the server.
        """
        if self.is_transient(header):
            return None

        return max(0, min(MAX_AGE_LIMIT, int(self.deadline(header) - now)))


def checked_outage(value: object, name: str = "outage") -> Outage:
    """Return *value* if it says what an outage means.

    :raises ConfigurationError: if it does not.
    """
    if value not in ("error", "unavailable"):
        raise ConfigurationError(f"{name} must be 'error' or 'unavailable'")

    return value


def _keys(value: object, name: str) -> tuple[str, ...]:
    keys = tuple(value) if isinstance(value, cabc.Iterable) else (None,)

    if isinstance(value, str) or not all(isinstance(key, str) for key in keys):
        raise ConfigurationError(f"policy.{name} must be a list of keys")

    return t.cast("tuple[str, ...]", keys)


def _limit(value: Seconds) -> float:
    return math.inf if value is None else t.cast(float, value)


def seconds(value: Seconds, name: str) -> float | None:
    """Return a duration as seconds; raise ``ConfigurationError`` naming it if it is none."""
    if value is None:
        return None

    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()

    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigurationError(f"{name} must be seconds, a timedelta or None")

    if not 0 < value < NEVER:
        raise ConfigurationError(f"{name} must be more than 0 and less than {NEVER:.0f} seconds")

    return float(value)
