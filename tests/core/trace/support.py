"""What the tests of the trace share."""

from __future__ import annotations

Lines = list[str]
