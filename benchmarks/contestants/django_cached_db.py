"""Django's sessions in SQLite, with Redis before it."""

from __future__ import annotations

from benchmarks.site import Places
from benchmarks.site import Site

from .django_cache import caches
from .django_db import databases
from .django_engines import engine


def build_django(places: Places, store: str) -> Site:
    return engine("cached_db", CACHES=caches(places, store), DATABASES=databases(places, "sqlite"))
