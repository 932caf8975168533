"""Django's sessions in signed cookies."""

from __future__ import annotations

from benchmarks.site import Places
from benchmarks.site import Site

from .django_engines import engine


def build_django(places: Places, store: str) -> Site:
    return engine("signed_cookies")
