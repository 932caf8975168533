"""How long, and with which pauses, a request tries again when others are faster."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .errors import SessionConflict

#: Attempts that follow each other without a pause.
EAGER_ATTEMPTS: t.Final = 3

#: Pauses are random up to 2**attempt milliseconds, with no higher exponent than this.
LONGEST_PAUSE: t.Final = 6

#: The part of a pause that is left for who has waited longest.
SHORTEST_PART: t.Final = 0.05


class Patience:
    """Counts failed attempts of one request, pauses, and gives up.

    :param timeout: seconds in all.
    :param clock: returns POSIX seconds.
    :param sleep: called with seconds.
    :param random: returns a number from 0 to 1.
    """

    def __init__(
        self,
        timeout: float,
        clock: cabc.Callable[[], float],
        sleep: cabc.Callable[[float], object],
        random: cabc.Callable[[], float],
    ) -> None:
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._started = clock()
        self._slept = 0.0
        self._attempts = 0

    def wait(self) -> None:
        """Return when it is time to try again; raise ``SessionConflict`` if it is too late."""
        self._attempts += 1

        if self._attempts < EAGER_ATTEMPTS:
            return

        # The sum of the pauses counts too, in case that the clock is set back.
        spent = max(self._slept, self._clock() - self._started)

        if spent >= self._timeout:
            raise SessionConflict(
                "other requests kept changing this session; nothing of this request was saved "
                f"after {self._attempts} attempts (policy.commit_timeout)"
            )

        # Who has waited long goes first: with pauses that only grow, newcomers always win.
        part = max(SHORTEST_PART, (1 - max(spent, 0.0) / self._timeout) ** 2)
        pause = self._random() * part * 2 ** min(self._attempts, LONGEST_PAUSE) / 1000
        self._slept += pause
        self._sleep(pause)
