"""Twenty requests at once, each of which writes a key of its own."""

from __future__ import annotations

import time
import typing as t

from sessionkit import Session

NUMBERS: t.Final = range(20)

#: Long enough that all requests under way have read before the first of them writes.
PAUSE: t.Final = 0.1


def write_key(session: Session, number: int) -> None:
    """Write key *number*, into a session that others have changed since it was read."""
    _ = session.state  # reads the session
    time.sleep(PAUSE)
    session[_key(number)] = True


def forget_keys(session: Session) -> None:
    for number in kept(session):
        del session[_key(number)]


def kept(session: Session) -> list[int]:
    return [number for number in NUMBERS if _key(number) in session]


def _key(number: int) -> str:
    return f"parallel-{number}"
