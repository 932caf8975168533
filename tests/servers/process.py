"""What all servers have in common: a process that can be killed, paused and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 20.0


class MissingServer(Exception):
    """The server's program is not installed."""


class Server:
    """A server process with a folder of its own; a context manager that starts and ends it.

    Subclasses say what it is called, how it is started and when it is ready.
    """

    #: The programs that will do, the best first.
    programs: t.ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        found = [path for path in map(shutil.which, self.programs) if path]
        if not found:
            raise MissingServer(" or ".join(self.programs))
        self.program = found[0]
        self.host = "127.0.0.1"
        self.port = free_port()
        # A path short enough for a Unix socket, which pytest's are not everywhere.
        self.folder = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__}-"))
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    @property
    def url(self) -> str:
        raise NotImplementedError

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        give_up = time.monotonic() + PATIENCE
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"{self.program} does not start:\n{self.log.read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Let it end as it likes to."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a chance to write anything."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it neither answer nor close its connections, as a network that is cut."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        # Its threads may go on for a moment, and answer.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill it and start it with what it had written."""
        self.kill()
        self.start()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, with_signal: signal.Signals) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(with_signal)
            self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
