"""MariaDB, in a folder of its own."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import socket
import subprocess
import tempfile
import typing as t
from pathlib import Path

from .process import Server

if t.TYPE_CHECKING:
    import pymysql  # type: ignore[import-untyped]  # ships no types

DATABASE = "sessions"

# PyMySQL loads the system's certificates for each connection, which takes 20 ms, and asks then
# whether the server speaks TLS.
_NO_TLS = "ssl_disabled=true"

_SMALL = {
    "innodb-buffer-pool-size": "8M",
    "innodb-log-file-size": "4M",
    "key-buffer-size": "1M",
    "aria-pagecache-buffer-size": "1M",
    "performance-schema": "OFF",
}


class MariaDBServer(Server):
    """A MariaDB server with the user ``root``, who has no password, and the database ``sessions``.

    :param durable: whether every commit is flushed to the disk before it is acknowledged, so that
        it has all that it acknowledged after :meth:`restart`.
    :param options: settings of the server, with underscores for dashes.
    """

    # Debian does not put it on the path of everybody.
    programs = ("mariadbd", "/usr/sbin/mariadbd", "/usr/libexec/mariadbd")

    def __init__(self, *, durable: bool = False, **options: str) -> None:
        super().__init__()
        self.socket = self.folder / "sql.sock"
        self.data = self.folder / "data"
        self.options = {
            "datadir": str(self.data),
            "socket": str(self.socket),
            "pid-file": str(self.folder / "pid"),
            "bind-address": self.host,
            "port": str(self.port),
            "character-set-server": "utf8mb4",
            "skip-name-resolve": "ON",
            "innodb-flush-log-at-trx-commit": "1" if durable else "2",
            **_SMALL,
            **{name.replace("_", "-"): value for name, value in options.items()},
        }
        subprocess.run(["cp", "-a", str(_template(self.program)), str(self.data)], check=True)

    def command(self) -> list[str]:
        settings = [f"--{name}={value}" for name, value in self.options.items()]
        return [self.program, "--no-defaults", *_as_user(), *settings]

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 5) as c:
            return len(c.recv(5)) == 5  # it greets whoever connects
        return False

    @property
    def url(self) -> str:
        return self.url_as("root")

    def url_as(self, user: str, password: str = "", database: str = DATABASE) -> str:
        login = f"{user}:{password}" if password else user
        return f"mysql+pymysql://{login}@{self.host}:{self.port}/{database}?{_NO_TLS}"

    def client(self, database: str = DATABASE) -> pymysql.Connection[t.Any]:
        """Return an administrator's connection for looking behind the store's back."""
        import pymysql

        return pymysql.connect(
            host=self.host,
            port=self.port,
            user="root",
            database=database,
            autocommit=True,
            read_timeout=20,
            ssl_disabled=True,
        )

    def execute(self, query: str, *values: object) -> list[t.Any]:
        """Execute as the administrator; return the rows."""
        with self.client() as client, client.cursor() as cursor:
            cursor.execute(query, values or None)
            return list(cursor.fetchall())


@functools.cache
def _template(program: str) -> Path:
    """Return the folder of a server that has never run, with the database in it."""
    folder = Path(tempfile.mkdtemp(prefix="MariaDBTemplate-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    install = shutil.which("mariadb-install-db") or str(
        Path(program).resolve().with_name("mariadb-install-db")
    )
    made = subprocess.run(
        [
            *(install, "--no-defaults", f"--datadir={folder / 'data'}", *_as_user()),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
            *(f"--{name}={value}" for name, value in _SMALL.items()),
        ],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise RuntimeError(f"{install} failed:\n{made.stdout}{made.stderr}")
    (folder / "data" / DATABASE).mkdir()
    return folder / "data"


def _as_user() -> list[str]:
    """Return the option without which it does not run as root."""
    return ["--user=root"] if os.geteuid() == 0 else []
