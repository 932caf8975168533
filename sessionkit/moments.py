"""From the POSIX seconds of a record to what applications use."""

from __future__ import annotations

import datetime

from .policy import NEVER


def moment(timestamp: float) -> datetime.datetime:
    """Return *timestamp* in UTC; in a damaged store it may be any number."""
    bounded = min(max(timestamp, 0.0), NEVER)
    return datetime.datetime.fromtimestamp(bounded, datetime.timezone.utc)
