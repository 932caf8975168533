"""What the walkthroughs share: an environment like that of somebody who has installed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .walkthrough import Walkthrough


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walkthrough:
    """Somebody with an empty folder, and nothing set that the page does not mention."""
    for name in ("PYTHONSAFEPATH", "PYTHONPATH", "DJANGO_SETTINGS_MODULE", "FLASK_APP"):
        monkeypatch.delenv(name, raising=False)

    # Else Django gives its files the format of whatever formatter it finds.
    monkeypatch.setenv("PATH", "/nowhere")
    return Walkthrough(tmp_path)
