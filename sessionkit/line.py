"""Where the requests of one process that change the same session at once wait for each other.

What keeps them from overwriting each other is the store's swap, and nothing here. A line spares the
swaps that would be lost, and lets one request write for all that wait behind it: a group commit, as
databases have it.
"""

from __future__ import annotations

import collections
import contextlib
import os
import queue
import typing as t

from .merge import Changes
from .store import Record

#: Seconds; whoever stands in a line that does not move for as long as this goes ahead.
LONGEST_TURN: t.Final = 0.25


class Offer:
    """What a request that waits has changed, for another one to write.

    :ivar written: the record that it is in; None as long as nobody has written it.
    """

    written: Record | None = None

    def __init__(self, changes: Changes) -> None:
        self.changes = changes


class Line:
    """The requests that want to change one session; the first one has the turn.

    No lock guards it: what is done with the queues is atomic, and the order of the rest is such
    that nobody is forgotten. A child may inherit it at any moment.
    """

    def __init__(self) -> None:
        self.places: collections.deque[Place] = collections.deque()
        self.offers: collections.deque[Offer] = collections.deque()
        self.process: int = os.getpid()

    @property
    def first(self) -> Place | None:
        try:
            return self.places[0]
        except IndexError:
            return None


class Place:
    """One request's place in a line.

    Lines need not be exact. Two for one session, for a moment, cost a swap that is lost.

    :param lines: those of the process, by the sessions' keys.
    :param key: the session's.
    """

    _line: Line | None = None

    def __init__(self, lines: dict[str, Line], key: str) -> None:
        self._lines = lines
        self._key = key
        self._called: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._taken: list[Offer] = []

    @property
    def has_turn(self) -> bool:
        return self._line is not None and self._line.first is self

    def stand_in_line(self, offer: Offer | None = None) -> None:
        """Make an offer, and take a place at the end of the line if this one has none."""
        line = self._line or self._find()

        if offer is not None:
            line.offers.append(offer)

        if self._line is None:
            self._line = line
            line.places.append(self)

    def wait_for_a_move(self) -> bool:
        """Return True when somebody has left; False if the first one is the same for too long."""
        if self._line is None or (first := self._line.first) is self:
            return True

        try:
            self._called.get(timeout=LONGEST_TURN)
        except queue.Empty:
            return self._line.first is not first

        return True

    def withdraw(self, offer: Offer | None) -> bool:
        """Take an offer back; False if somebody has taken it, and may be about to write it."""
        if self._line is not None and offer is not None:
            try:
                self._line.offers.remove(offer)
            except ValueError:
                return False

        return True

    def take_offers(self) -> list[Offer]:
        """Return what the others have changed; they wait until this one leaves."""
        if self._line is not None and self.has_turn:
            # Asked for one by one: others may take theirs back at the same time.
            with contextlib.suppress(IndexError):
                while True:
                    self._taken.append(self._line.offers.popleft())

        return self._taken

    def leave(self) -> None:
        """Let the next one have the turn, and what this one has taken and not written."""
        line, self._line = self._line, None

        if line is None:
            return

        line.offers.extend(offer for offer in self._taken if offer.written is None)
        self._taken.clear()
        line.places.remove(self)

        if (first := line.first) is not None:
            first._called.put(None)
        elif self._lines.get(self._key) is line:
            self._lines.pop(self._key, None)

    def _find(self) -> Line:
        line = self._lines.get(self._key) or self._lines.setdefault(self._key, Line())

        # Those who stand in one of the process that this was forked from are not here.
        if line.process != os.getpid():
            line = self._lines[self._key] = Line()

        return line
