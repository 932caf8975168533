"""PostgreSQL, in a folder of its own and as a user who is not root, which it refuses to be."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from .process import PATIENCE
from .process import Server

if t.TYPE_CHECKING:
    import psycopg

USER = "postgres"
DATABASE = "postgres"

_AS_SOMEBODY_ELSE = """\
import os, sys
uid, gid = int(sys.argv[1]), int(sys.argv[2])
os.setgroups([gid])
os.setgid(gid)
os.setuid(uid)
os.execv(sys.argv[3], sys.argv[3:])
"""


def _major(path: Path) -> int:
    return int(re.sub(r"\D.*", "", path.parent.parent.name) or 0)


# Debian and Ubuntu do not put them on the path.
_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_major, reverse=True)


class PostgreSQLServer(Server):
    """A PostgreSQL server that trusts everybody, with the superuser and database ``postgres``.

    :param durable: whether every commit is flushed to the disk before it is acknowledged, so that
        it has all that it acknowledged after :meth:`restart`.
    :param options: settings of postgresql.conf.
    """

    programs = ("postgres", *map(str, _INSTALLED))

    def __init__(self, *, durable: bool = False, **options: str) -> None:
        super().__init__()
        self.socket = self.folder / f".s.PGSQL.{self.port}"
        self.data = self.folder / "data"
        self.options = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if durable else "off",
            "shared_buffers": "16MB",
            # In its folder, where none is left of a server that was killed.
            "dynamic_shared_memory_type": "mmap",
            "autovacuum_naptime": "10s",
            **options,
        }
        subprocess.run(["cp", "-a", str(_template(self.program)), str(self.data)], check=True)
        _give_away(self.folder)

    def command(self) -> list[str]:
        settings = [f"--{name}={value}" for name, value in self.options.items()]
        return [*_as_server_user(), self.program, "-D", str(self.data), *settings]

    def is_ready(self) -> bool:
        login = b"user\0%s\0database\0%s\0\0" % (USER.encode(), DATABASE.encode())
        startup = struct.pack(">II", 8 + len(login), 3 << 16) + login
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 5) as c:
            c.sendall(startup)
            if c.recv(1) == b"R":  # it asks who that is; before, it says E: it is starting up
                c.sendall(b"X\0\0\0\4")
                return True
        return False

    @property
    def url(self) -> str:
        return self.url_as(USER)

    def url_as(self, user: str, password: str = "", database: str = DATABASE) -> str:
        login = f"{user}:{password}" if password else user
        return f"postgresql://{login}@{self.host}:{self.port}/{database}"

    def client(self, database: str = DATABASE) -> psycopg.Connection[t.Any]:
        """Return a superuser's connection for looking behind the store's back."""
        import psycopg

        return psycopg.connect(self.url_as(USER, database=database), autocommit=True)

    def execute(self, query: str, *values: object) -> list[t.Any]:
        """Execute as the superuser; return the rows, if there are any."""
        with self.client() as client:
            cursor = client.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        self._end(signal.SIGINT)  # upon SIGTERM it waits for its clients

    def pause(self) -> None:
        super().pause()  # first, so that no process is added
        self._tell_children(signal.SIGSTOP)

    def resume(self) -> None:
        self._tell_children(signal.SIGCONT)
        super().resume()

    def _end(self, with_signal: signal.Signals) -> None:
        if self.process is None:
            return
        # Those who serve a client outlive the one that is killed, and keep its memory.
        self.pause()
        children = self._children()
        if with_signal == signal.SIGKILL:
            self._tell_children(with_signal)
        self._tell_children(signal.SIGCONT)
        super()._end(with_signal)
        give_up = time.monotonic() + PATIENCE
        while any(map(_is_alive, children)) and time.monotonic() < give_up:
            time.sleep(0.002)

    def _children(self) -> list[int]:
        assert self.process is not None
        children: list[int] = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(_after_name(path)[1]) == self.process.pid:
                    children.append(int(path.parent.name))
        return children

    def _tell_children(self, what: signal.Signals) -> None:
        for child in self._children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, what)


@functools.cache
def _template(program: str) -> Path:
    """Return the folder of a server that has never run; it takes a second to make."""
    folder = Path(tempfile.mkdtemp(prefix="PostgreSQLTemplate-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _give_away(folder)
    initdb = Path(program).resolve().with_name("initdb")
    made = subprocess.run(
        [
            *(*_as_server_user(), str(initdb), "-D", str(folder / "data"), "-U", USER),
            *("--auth=trust", "--encoding=UTF8", "--locale=C"),
            *("--no-sync", "--wal-segsize=1"),
        ],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise RuntimeError(f"{initdb} failed:\n{made.stdout}{made.stderr}")
    return folder / "data"


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as_server_user() -> list[str]:
    """Return what goes before a command that root may not run."""
    if os.geteuid() != 0:
        return []
    user = _server_user()
    return [sys.executable, "-c", _AS_SOMEBODY_ELSE, str(user.pw_uid), str(user.pw_gid)]


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        user = _server_user()
        os.chown(folder, user.pw_uid, user.pw_gid)


def _after_name(stat: Path) -> list[str]:
    """Return the fields of a process's stat after its name, which may hold anything."""
    return stat.read_text().rpartition(")")[2].split()


def _is_alive(pid: int) -> bool:
    try:
        return _after_name(Path(f"/proc/{pid}/stat"))[0] != "Z"
    except OSError:
        return False
