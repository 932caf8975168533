"""Races between threads, processes, forks, and processes that are killed."""

from __future__ import annotations

from ._contests import ContestTests
from ._crashes import CrashTests
from ._forks import ForkTests
from ._listings import ListingTests


class RaceTests(ContestTests, ListingTests, CrashTests, ForkTests):
    """Everything at once."""
