"""How long, and with which pauses, a request tries again when others are faster."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .errors import SessionConflict
from .line import LONGEST_TURN
from .line import Line
from .line import Offer
from .line import Place

#: Attempts in one's turn that follow each other without a pause.
EAGER_ATTEMPTS: t.Final = 3

#: Milliseconds; later pauses are random up to 2**attempt and up to this.
LONGEST_PAUSE: t.Final = 8


@t.final
class Patience(Place):
    """Counts attempts of one request, waits for its turn, pauses, and gives up.

    A context, so that whatever happens the next one has its turn.

    :param lines: those of the process, by the sessions' keys.
    :param key: the session's.
    :param timeout: seconds in all.
    :param clock: returns POSIX seconds.
    :param sleep: called with seconds.
    :param random: returns a number from 0 to 1.
    """

    _attempts = 0
    _waited = 0.0

    def __init__(
        self,
        lines: dict[str, Line],
        key: str,
        timeout: float,
        clock: cabc.Callable[[], float],
        sleep: cabc.Callable[[float], object],
        random: cabc.Callable[[], float],
    ) -> None:
        super().__init__(lines, key)
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._started = clock()

    def __enter__(self) -> Patience:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def wait(self, offer: Offer | None = None) -> None:
        """Return when it is time to read the session and to try.

        :param offer: what may be written by another one that waits; then return at once.
        :raises SessionConflict: if it is too late.
        """
        if self.has_turn:
            # Who was faster is in another process.
            self._pause()
        else:
            self._wait_for_turn(offer)

        if offer is not None and offer.written is not None:
            return

        if self._is_late:
            raise SessionConflict(
                "other requests kept changing this session; nothing of this request was saved "
                f"in {self._timeout:g} seconds (policy.commit_timeout)"
            )

        self._attempts += 1

    def _wait_for_turn(self, offer: Offer | None) -> None:
        self.stand_in_line(offer)

        while not self.has_turn:
            moves = self.wait_for_a_move()

            if not moves:
                self._waited += LONGEST_TURN
            elif not self._is_late:
                continue

            # What somebody else has taken is about to be written, or to be given back.
            if self.withdraw(offer):
                return

        if offer is not None and offer.written is None:
            self.withdraw(offer)

    @property
    def _is_late(self) -> bool:
        # The sum of the pauses counts too, in case that the clock is set back.
        return max(self._waited, self._clock() - self._started) >= self._timeout

    def _pause(self) -> None:
        if self._attempts >= EAGER_ATTEMPTS:
            pause = self._random() * min(2**self._attempts, LONGEST_PAUSE) / 1000
            self._waited += pause
            self._sleep(pause)


class Lines(dict[str, Line]):
    """The lines of one process, by the sessions' keys; makes the patience of its requests.

    There is one as long as somebody stands in it. The parameters are those of :class:`Patience`.
    """

    def __init__(
        self,
        timeout: float,
        clock: cabc.Callable[[], float],
        sleep: cabc.Callable[[float], object],
        random: cabc.Callable[[], float],
    ) -> None:
        super().__init__()
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._random = random

    def patience(self, key: str) -> Patience:
        """Return that of a request which is about to change the session with this store key."""
        return Patience(self, key, self._timeout, self._clock, self._sleep, self._random)
