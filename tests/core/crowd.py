"""Requests that meet at one session, in an order that is always the same."""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import time

from sessionkit import Session
from sessionkit import SessionManager

from .support import Browser
from .support import FullStore

Change = cabc.Callable[[Session], object]


def assign(**values: object) -> Change:
    return lambda session: session.update(values)


def increment(session: Session) -> None:
    session.mutate("count", lambda count: count + 1, 0)


class Crowd:
    """Requests that commit while another one, the first, has the turn and reads the session.

    :param change: what the first one does.
    """

    def __init__(self, browser: Browser, store: FullStore, change: Change) -> None:
        self.browser = browser
        self.store = store
        self.first = self.open(change)
        self.others: list[concurrent.futures.Future[object]] = []
        self._waiting: list[Session] = []

    def open(self, change: Change) -> Session:
        session = self.browser.open()
        change(session)
        return session

    def join(self, *changes: Change) -> list[Session]:
        """Let others commit as soon as the first one has the turn; return their sessions."""
        sessions = [self.open(change) for change in changes]
        self._waiting += sessions
        return sessions

    def commit(self, meanwhile: cabc.Callable[[], object] = int) -> None:
        """Commit them all; raise what the first one raises.

        :param meanwhile: called when the others wait, before the first one reads.
        """
        self.write(self.browser.manager.commit, meanwhile)

    def write(
        self, how: cabc.Callable[[Session], object], meanwhile: cabc.Callable[[], object] = int
    ) -> None:
        manager = self.browser.manager
        assert isinstance(manager, SessionManager)
        # Another process is faster than the first swap.
        self.store.before["swap"] = self._overtake

        with concurrent.futures.ThreadPoolExecutor() as pool:

            def wait_for_the_others() -> None:
                (line,) = manager._lines.values()
                self.others = [pool.submit(how, other) for other in self._waiting]
                give_up = time.monotonic() + 10

                while len(line.places) <= len(self.others) and time.monotonic() < give_up:
                    time.sleep(0.001)

                del self.store.calls[:-1]
                meanwhile()

            self.store.before["get"] = wait_for_the_others
            how(self.first)

        assert not manager._lines

    def _overtake(self) -> None:
        ((key, record),) = self.store.records().items()
        self.store.memory.swap(key, record, record._replace(version=record.version + 1))
