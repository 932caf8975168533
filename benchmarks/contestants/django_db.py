"""Django's sessions in its database."""

from __future__ import annotations

import typing as t

from benchmarks.site import Places
from benchmarks.site import Site

from .django_engines import engine


def databases(places: Places, store: str) -> dict[str, t.Any]:
    """Return Django's setting: one connection that is kept, SQLite in WAL mode."""
    if store == "postgres":
        return {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "postgres",
                "USER": "postgres",
                "HOST": "127.0.0.1",
                "PORT": places.port("postgres"),
                "CONN_MAX_AGE": None,
                "OPTIONS": {"sslmode": "disable"},
            }
        }
    return {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{places.folder}/django.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
                "transaction_mode": "IMMEDIATE",
                "timeout": 5,
            },
        }
    }


def build_django(places: Places, store: str) -> Site:
    return engine("db", DATABASES=databases(places, store))
