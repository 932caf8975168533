"""Django's sessions in files."""

from __future__ import annotations

from pathlib import Path

from benchmarks.site import Places
from benchmarks.site import Site

from .django_engines import engine


def build_django(places: Places, store: str) -> Site:
    folder = Path(places.folder, "django")
    folder.mkdir()
    return engine("file", SESSION_FILE_PATH=str(folder))
