"""What tests need that reach the same data from several processes."""

from __future__ import annotations

from sessionkit.store import Store

from ._support import Opener
from ._support import skip


class Reachable:
    """A store that others may open, too."""

    #: How many rounds each race has.
    rounds: int = 30

    def opener(self, store: Store) -> Opener | None:
        """Return a picklable function without arguments that opens the same data elsewhere.

        ``functools.partial(MyStore, store.url)``, for example. None, as here, if the data cannot be
        reached from another process; what needs processes is then skipped.
        """
        return None

    def _opener(self, store: Store) -> Opener:
        return self.opener(store) or skip("it cannot be opened from another process")
