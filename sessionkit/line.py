"""Where the requests of one process that change the same session at once wait for each other.

What keeps them from overwriting each other is the store's swap, and nothing here. A line spares the
swaps that would be lost, and lets one request write for all that wait behind it: a group commit, as
databases have it.
"""

from __future__ import annotations

import collections
import collections.abc as cabc
import contextlib
import os
import threading
import typing as t

from .merge import Changes
from .store import Record

#: Seconds; whoever has waited for a turn as long as this goes ahead without.
LONGEST_TURN: t.Final = 0.25


class Offer:
    """What a request that waits has changed, for another one to write.

    :ivar written: the record that it is in; None as long as nobody has written it.
    """

    written: Record | None = None

    def __init__(self, changes: Changes) -> None:
        self.changes = changes


class Line:
    """The requests that want to change one session; one of them has the turn."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.places: set[Place] = set()
        self.offers: collections.deque[Offer] = collections.deque()
        self.process = os.getpid()


class Place:
    """One request's place in a line.

    Lines need not be exact. Two for one session, for a moment, cost a swap that is lost.

    :param lines: those of the process, by the sessions' keys.
    :param key: the session's.
    """

    has_turn = False
    _line: Line | None = None

    def __init__(self, lines: dict[str, Line], key: str) -> None:
        self._lines = lines
        self._key = key
        self._taken: list[Offer] = []

    def stand_in_line(self, offer: Offer | None) -> bool:
        """Return True when it is this one's turn or its offer was written, False if never."""
        self.leave()
        line = self._line = self._enter()

        if offer is not None:
            line.offers.append(offer)

        while True:
            self.has_turn = line.turn.acquire(timeout=LONGEST_TURN)
            withdrawn = offer is None or _withdraw(offer, line.offers)

            if self.has_turn or (offer is not None and offer.written is not None):
                return True

            # Else somebody has it, who is about to write it.
            if withdrawn:
                return False

    def take_offers(self) -> list[Offer]:
        """Return what the others have changed; they wait until this one leaves."""
        if self._line is not None and self.has_turn:
            with contextlib.suppress(IndexError):
                while True:
                    self._taken.append(self._line.offers.popleft())

        return self._taken

    def leave(self) -> None:
        """Let the next one have the turn, and what this one has taken and not written."""
        line, self._line = self._line, None

        if line is not None:
            line.places.discard(self)

            if not line.places and self._lines.get(self._key) is line:
                self._lines.pop(self._key, None)

            if self.has_turn:
                line.offers.extend(offer for offer in self._taken if offer.written is None)
                self._taken.clear()
                self.has_turn = False
                line.turn.release()

    def _enter(self) -> Line:
        line = self._lines.setdefault(self._key, Line())

        # Those who stand in one of the process that this was forked from are not here.
        if line.process != os.getpid():
            line = self._lines[self._key] = Line()

        line.places.add(self)
        return line


def _withdraw(offer: Offer, offers: cabc.MutableSequence[Offer]) -> bool:
    """Take an offer back; False if somebody has taken it already."""
    try:
        offers.remove(offer)
    except ValueError:
        return False

    return True
