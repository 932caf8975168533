"""Servers for WSGI applications, as they are run in production: two processes at one address.

gunicorn with three kinds of workers, waitress, and uWSGI. Each has a folder of its own.
"""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import pprint
import shutil
import signal
import socket
import sys
import time
import typing as t
from pathlib import Path

from .process import PATIENCE
from .process import Server

ROOT = Path(__file__).parent.parent.parent

PROCESSES = 2
THREADS = 16

# The workers belong to the group, and die with it even if nobody can tell them to.
_IN_A_GROUP = (
    sys.executable,
    "-c",
    "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])",
)

# The folder of the tests comes last, so that an installed sessionkit is the one that is tested.
_APPLICATION = """\
import os
import sys

sys.path.append({root!r})
os.environ.update({environment})

from {module} import application
"""


class WSGIServer(Server):
    """A server with an application.

    :param module: where to import ``application`` from.
    :param environment: what the application finds in ``os.environ``.
    :param preload: import the application before the worker processes are made, not in each.
    """

    programs: t.ClassVar[tuple[str, ...]] = (sys.executable,)

    #: What the server is called in reports.
    name: t.ClassVar[str]
    #: How many requests are certain to be handled at the same time.
    concurrency: t.ClassVar[int] = PROCESSES * THREADS

    def __init__(
        self, module: str, environment: cabc.Mapping[str, str], *, preload: bool = False
    ) -> None:
        super().__init__()
        self.preload = preload
        text = _APPLICATION.format(
            root=str(ROOT), module=module, environment=pprint.pformat(dict(environment))
        )
        (self.folder / "served.py").write_text(text)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def command(self) -> list[str]:
        return [*_IN_A_GROUP, *self.serving()]

    def serving(self) -> list[str]:
        """Return the command of the server itself."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        request = f"GET /untouched HTTP/1.0\r\nHost: {self.address}\r\n\r\n".encode()

        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 5) as c:
            c.sendall(request)
            return b" 200 " in c.recv(100)

        return False

    def _end(self, with_signal: signal.Signals) -> None:
        group = self.process.pid if self.process is not None else None
        super()._end(with_signal)

        if group is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

            self._wait_until_nobody_listens()

    def _wait_until_nobody_listens(self) -> None:
        give_up = time.monotonic() + PATIENCE

        while time.monotonic() < give_up:
            with contextlib.suppress(OSError), socket.create_server((self.host, self.port)):
                return

            time.sleep(0.005)


class Gunicorn(WSGIServer):
    """gunicorn; subclasses name the kind of its workers."""

    options: t.ClassVar[tuple[str, ...]] = ()

    def serving(self) -> list[str]:
        return [
            *(self.program, "-m", "gunicorn", "served:application"),
            *("--bind", self.address, "--workers", str(PROCESSES), *self.options),
            *("--log-level", "warning", "--worker-tmp-dir", str(self.folder)),
            *(["--preload"] if self.preload else []),
        ]


class GunicornSync(Gunicorn):
    name = "gunicorn-sync"
    options = ("--worker-class", "sync")
    concurrency = PROCESSES


class GunicornThreads(Gunicorn):
    name = "gunicorn-gthread"
    options = ("--worker-class", "gthread", "--threads", str(THREADS))


class GunicornGevent(Gunicorn):
    name = "gunicorn-gevent"
    options = ("--worker-class", "gevent")


class Waitress(WSGIServer):
    """waitress, twice: it makes no processes of its own."""

    name = "waitress"

    def serving(self) -> list[str]:
        # A copy: the folder of a program is on the path, and here is a redis.py.
        program = shutil.copy(Path(__file__).with_name("two_waitresses.py"), self.folder)
        arguments = [self.host, str(self.port), str(PROCESSES), str(THREADS)]
        return [self.program, str(program), *arguments, "preload" if self.preload else "later"]


class UWSGI(WSGIServer):
    """uWSGI. It forks after the application was imported unless it is told otherwise."""

    name = "uwsgi"
    programs = (str(Path(sys.executable).with_name("uwsgi")), "uwsgi")

    def serving(self) -> list[str]:
        return [
            *(self.program, "--http-socket", self.address, "--wsgi-file", "served.py"),
            *("--master", "--processes", str(PROCESSES), "--threads", str(THREADS)),
            *("--virtualenv", sys.prefix, "--die-on-term", "--disable-logging", "--need-app"),
            *([] if self.preload else ["--lazy-apps"]),
        ]


KINDS: tuple[type[WSGIServer], ...] = (
    GunicornSync,
    GunicornThreads,
    GunicornGevent,
    Waitress,
    UWSGI,
)
