"""Databases of a Django project for tests: in a file or on a server, reachable from any process."""

from __future__ import annotations

import os
import threading
import typing as t

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
        "OPTIONS": {"charset": "utf8mb4"},
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


def migrate(alias: str) -> None:
    call_command("migrate", "sessionkit_store", database=alias, verbosity=0)


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
