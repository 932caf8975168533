"""The places in the demo."""

from __future__ import annotations

import typing as t

import pytest

FRAMEWORKS: t.Final = ("wsgi", "flask", "django")

everywhere = pytest.mark.parametrize("at", FRAMEWORKS)
