"""What is said of a URL that is wrong."""

from __future__ import annotations

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store


def assert_refused_without_its_password(url: str) -> None:
    """Check a URL whose password is *secret*, or *sec* and *ret* with a character between."""
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    told = f"{caught.value!r} {caught.value.__cause__!r}"
    for part in ("secret@", "sec/", "ret@"):
        assert part not in told
