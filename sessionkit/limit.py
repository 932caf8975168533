"""A limit to the sessions that one owner has at a time."""

from __future__ import annotations

import logging

from .errors import ConfigurationError
from .errors import SessionConflict
from .errors import StoreUnavailable
from .errors import TooManySessions
from .owners import Owners
from .payload import Header
from .policy import SessionPolicy
from .store import Owned
from .store import offers

_logger = logging.getLogger("sessionkit")


class OwnerLimit:
    """Keeps owners to ``policy.max_sessions_per_owner``.

    No store can count and write in one step, so logins at the same moment may all succeed. Each of
    them ends only what logged in before it: never all, and the next login makes up for the rest.

    :param owners: lists and ends sessions.
    :param limit: how many an owner may have.
    """

    def __init__(self, owners: Owners, limit: int) -> None:
        self._owners = owners
        self._limit = limit

    def check(self, owner: str, public_id: str) -> None:
        """Raise ``TooManySessions`` if *owner* may not have one more.

        :param public_id: of the session that asks, which does not count.
        """
        headers = self._owners.headers_of(owner)
        count = sum(header.public_id != public_id for header in headers)

        if count >= self._limit:
            raise TooManySessions(count, self._limit)

    def end_oldest(self, owner: str, bound: Header) -> None:
        """End what *owner* has beyond the limit, that seen longest ago first.

        Trouble is logged: the login that was made just now stays.

        :param bound: of the session that the login has made.
        """

        def is_older(header: Header) -> bool:
            return _login(header) < _login(bound)

        try:
            headers = self._owners.headers_of(owner)
            others = [header for header in headers if header.public_id != bound.public_id]
            surplus = max(0, len(others) + 1 - self._limit)
            older = sorted(filter(is_older, others), key=lambda header: header.seen_at)

            if chosen := {header.public_id for header in older[:surplus]}:
                self._owners.end(
                    owner,
                    # Not if it has logged in anew meanwhile, and might be ending this one.
                    lambda header: (
                        header is not None and header.public_id in chosen and is_older(header)
                    ),
                    "evicted",
                )
        except (StoreUnavailable, SessionConflict) as error:
            _logger.warning(
                "the oldest sessions of an owner could not be ended (%s); the next login tries "
                "again",
                type(error).__name__,
            )


def check_index(store: object, policy: SessionPolicy) -> None:
    """Raise ``ConfigurationError`` if *policy* limits what *store* cannot list."""
    if policy.max_sessions_per_owner is not None and not offers(store, Owned):
        raise ConfigurationError(
            f"policy.max_sessions_per_owner needs a store that can list the sessions of an owner; "
            f"{type(store).__name__} cannot"
        )


def _login(header: Header) -> tuple[float, str]:
    """Return what puts logins in an order that all processes agree on."""
    return header.started_at, header.public_id
