"""sessionkit in the tables of a Django project."""

from __future__ import annotations

from benchmarks.site import Places
from benchmarks.site import Site

from .django_db import databases
from .ours import django_site


def build_django(places: Places, store: str) -> Site:
    return django_site(
        "django:",
        apps=("django_sessionkit.model_store",),
        DATABASES=databases(places, store),
    )
