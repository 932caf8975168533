"""Everything that sessionkit raises: one root, one child for each thing a caller does differently.

No message ever contains a session id, a secret or session data.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .cookie import Instruction


class SessionError(Exception):
    """The root of all errors of this package.

    :ivar instruction: what the answer to this request must still do with the session cookie,
        although its session failed. None: nothing.
    """

    instruction: Instruction = None


class ConfigurationError(SessionError, ValueError):
    """A setting is wrong or contradicts another one; raised when the object is built."""


class UnsupportedOperation(SessionError):
    """The store, or the kind of session, cannot do what was asked."""


class StoreUnavailable(SessionError):
    """The store did not answer, or answered that it cannot serve.

    :param message: what failed, without the key.
    :param unreachable: True if no connection could be made or it timed out. Only this opens the
        breaker: a store that answers with an error is alive.
    """

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class StoreFull(StoreUnavailable):
    """A bounded store has no room, and nothing in it may be dropped."""


class SessionConflict(SessionError):
    """Other requests kept changing this session for longer than ``policy.commit_timeout``.

    Nothing of this request was saved. Answered like an outage.
    """


class SessionCommitted(SessionError, RuntimeError):
    """The session was changed after its answer had been committed; the change was not made."""


class TooManySessions(SessionError):
    """A login was refused: its owner has as many sessions as ``policy.max_sessions_per_owner``.

    :param count: how many other sessions the owner has.
    :param limit: how many are allowed.
    """

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            f"the owner has {count} other sessions, policy.max_sessions_per_owner allows {limit}; "
            "one of them must be ended first"
        )
        self.count = count
        self.limit = limit

    def __reduce__(self) -> tuple[type[TooManySessions], tuple[int, int]]:
        return type(self), (self.count, self.limit)


class ValueNotSupported(SessionError, TypeError):
    """A value cannot be stored and read back as what it is.

    :param path: where it stands, such as ``session['cart'][0]``.
    :param problem: what is wrong and what to do.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem

    def __reduce__(self) -> tuple[type[ValueNotSupported], tuple[str, str]]:
        return type(self), (self.path, self.problem)


class PayloadTooLarge(SessionError, ValueError):
    """The session is larger than ``policy.max_payload``.

    :param size: bytes of the whole session.
    :param limit: bytes allowed.
    :param largest: the names of the largest keys with their sizes in bytes, largest first.
    """

    _problem = "the session takes {size} bytes, policy.max_payload allows {limit}"

    def __init__(self, size: int, limit: int, largest: list[tuple[str, int]]) -> None:
        keys = ", ".join(f"{key!r} ({length})" for key, length in largest)
        super().__init__(
            f"{self._problem.format(size=size, limit=limit)}; "
            f"largest keys: {keys}. Keep large data elsewhere and its key in the session."
        )
        self.size = size
        self.limit = limit
        self.largest = largest

    def __reduce__(self) -> tuple[type[PayloadTooLarge], tuple[int, int, list[tuple[str, int]]]]:
        return type(self), (self.size, self.limit, self.largest)


class CookieTooLarge(PayloadTooLarge):
    """A session that is kept in its cookie does not fit into one.

    :param size: bytes of the cookie: its name, its value and its attributes.
    """

    _problem = "the session's cookie would have {size} bytes, browsers keep {limit}"


class DecodeError(SessionError, ValueError):
    """Stored bytes are damaged or were not written by this package."""


class NewerFormat(StoreUnavailable):
    """A record was written by a newer version of this package; it is left as it is.

    During a rolling deployment an old worker answers 503 to such a session in place of ending it.
    """
