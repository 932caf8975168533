"""What every store checks of its settings."""

from __future__ import annotations

import math

from sessionkit.errors import ConfigurationError


def check_not_negative(**settings: float) -> None:
    """Refuse a number below 0, or without end, or that is none (NaN)."""
    for name, value in settings.items():
        if not 0 <= value < math.inf:
            raise ConfigurationError(f"{name} must be finite, and not negative")


def check_positive(**settings: float | None) -> None:
    """Refuse seconds that nobody could wait for; None is what somebody else says."""
    for name, value in settings.items():
        if value is not None and not 0 < value < math.inf:
            raise ConfigurationError(f"{name} must be more than 0 seconds, and finite")
