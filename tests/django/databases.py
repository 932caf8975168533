"""Databases of a Django project for tests: in a file or on a server, reachable from any process."""

from __future__ import annotations

import os
import threading
import typing as t
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from django_sessionkit.model_store import ModelStore

Database = dict[str, t.Any]


def sqlite(path: object) -> Database:
    """As Django recommends it where several write: a rollback journal lets writers starve."""
    options = {"init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options}


def postgresql(host: str, port: int, name: str = "postgres") -> Database:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": host,
        "PORT": str(port),
        "USER": "postgres",
        "NAME": name,
    }


def mysql(host: str, port: int, name: str = "sessions") -> Database:
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": host,
        "PORT": str(port),
        "USER": "root",
        "NAME": name,
        "OPTIONS": {"charset": "utf8mb4", "ssl_disabled": True},
    }


def use(alias: str, database: Database) -> None:
    """Make *database* one of the project's, in whatever process this is."""
    if database["ENGINE"].endswith("mysql"):
        import pymysql  # type: ignore[import-untyped]

        pymysql.install_as_MySQLdb()

    if not settings.configured:
        settings.configure(
            SECRET_KEY="of the tests",
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=["django_sessionkit.model_store"],
        )
        django.setup()

    forget(alias)
    given = {"default": connections.settings["default"], alias: {**database}}
    connections.settings[alias] = connections.configure_settings(given)[alias]


def forget(alias: str) -> None:
    if alias in connections.settings:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


#: Where the tables are already: Django takes a while even to see that.
_migrated: set[tuple[str, ...]] = set()
#: What an SQLite file is when they have been made in it.
_migrated_file = b""


def migrate(alias: str) -> None:
    """Make the tables, unless they are there."""
    global _migrated_file  # noqa: PLW0603
    file = Path(connections.settings[alias]["NAME"])
    is_new_file = connections[alias].vendor == "sqlite" and file.is_absolute() and not file.exists()

    if is_new_file and _migrated_file:
        file.write_bytes(_migrated_file)
    elif _place(alias) not in _migrated:
        call_command("migrate", "sessionkit_store", database=alias, verbosity=0)

    if is_new_file and not _migrated_file:
        connections[alias].close()
        _migrated_file = file.read_bytes()

    if connections.settings[alias]["HOST"]:
        _migrated.add(_place(alias))


def unmigrate(alias: str) -> None:
    """Remove the tables."""
    _migrated.discard(_place(alias))
    call_command("migrate", "sessionkit_store", "zero", database=alias, verbosity=0)


def _place(alias: str) -> tuple[str, ...]:
    given = connections.settings[alias]
    return tuple(str(given[name]) for name in ("ENGINE", "HOST", "PORT", "NAME"))


class TidyStore(ModelStore):
    """Closes the connections of threads in which no request ends, which would close them."""

    _thread = threading.local()

    @property
    def alias(self) -> str:
        alias = super().alias

        if threading.current_thread() is not threading.main_thread():
            closers: dict[str, _Closer] = self._thread.__dict__

            if alias not in closers:
                closers[alias] = _Closer(connections[alias])

        return alias


class _Closer:
    def __init__(self, connection: t.Any) -> None:
        self.connection = connection
        self.process = os.getpid()

    def __del__(self) -> None:
        if self.process == os.getpid():
            self.connection.close()


def open_store(alias: str, database: Database) -> ModelStore:
    """Return the store in *database*, in whatever process this is."""
    use(alias, database)
    return TidyStore(using=alias)
