"""How long after its time a record is kept."""

from __future__ import annotations

from sessionkit.store import EXPIRY_MARGIN


class WithMargin:
    """Tests for which the end of a record is not the moment of its ``expires_at``."""

    #: Seconds that the store of the tests keeps a record beyond its ``expires_at``.
    margin: float = EXPIRY_MARGIN
