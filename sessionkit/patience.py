"""How long, and with which pauses, a request tries again when others are faster."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
import weakref

from .errors import SessionConflict

#: Attempts of the first in line that follow each other without a pause.
EAGER_ATTEMPTS: t.Final = 3

#: Milliseconds; its later pauses are random up to 2**attempt and up to this.
LONGEST_PAUSE: t.Final = 8

#: Milliseconds that others leave to each one who stands before them; more if their last
#: attempt took longer.
TURN: t.Final = 2

#: Seconds; nobody pauses longer at a time than this.
LONGEST_TURN: t.Final = 0.25


class Line(list["weakref.ref[Patience]"]):
    """The requests of one process that were too slow to change a session, the first one first.

    Without it newcomers always win: they try without a pause, and who has lost often pauses long.
    It is no lock, only a reason for longer pauses, and needs not be exact: who is killed in it
    stands in nobody's way.
    """

    def place(self, patience: Patience) -> int:
        """Return how many stand before *patience*, which joins at the end."""
        reference = weakref.ref(patience, self.remove)

        try:
            return self.index(reference)
        except ValueError:
            self.append(reference)
            return len(self) - 1


class Patience:
    """Counts failed attempts of one request, pauses, and gives up.

    :param line: makes or finds the line of the session; called when the first attempt has failed.
    :param timeout: seconds in all.
    :param clock: returns POSIX seconds.
    :param sleep: called with seconds.
    :param random: returns a number from 0 to 1.
    """

    _line: Line | None = None

    def __init__(
        self,
        line: cabc.Callable[[], Line],
        timeout: float,
        clock: cabc.Callable[[], float],
        sleep: cabc.Callable[[float], object],
        random: cabc.Callable[[], float],
    ) -> None:
        self._find_line = line
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._started = self._tried = clock()
        self._slept = 0.0
        self._attempts = 0

    def wait(self) -> None:
        """Return when it is time to try again; raise ``SessionConflict`` if it is too late."""
        self._attempts += 1

        if self._line is None:
            self._line = self._find_line()

        ahead = self._line.place(self)

        if not ahead and self._attempts < EAGER_ATTEMPTS:
            return

        now = self._clock()

        # The sum of the pauses counts too, in case that the clock is set back.
        if max(self._slept, now - self._started) >= self._timeout:
            raise SessionConflict(
                "other requests kept changing this session; nothing of this request was saved "
                f"after {self._attempts} attempts (policy.commit_timeout)"
            )

        if ahead:
            turn = max(TURN / 1000, now - self._tried)
            pause = min((0.5 + self._random()) * ahead * turn, LONGEST_TURN)
        else:
            pause = self._random() * min(2**self._attempts, LONGEST_PAUSE) / 1000

        self._slept += pause
        self._sleep(pause)
        self._tried = self._clock()


class Lines:
    """The lines of one process; makes the patience of its requests.

    The parameters are those of :class:`Patience`.
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
        # By the session's key. A line goes with the last request that stands in it.
        self._lines: weakref.WeakValueDictionary[str, Line] = weakref.WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._lines)

    def patience(self, key: str) -> Patience:
        """Return that of a request which is about to change the session with this store key."""
        return Patience(
            lambda: self._lines.setdefault(key, Line()),
            self._timeout,
            self._clock,
            self._sleep,
            self._random,
        )
