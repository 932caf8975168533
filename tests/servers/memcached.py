"""memcached, for stores that may forget."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import socket
import typing as t

from .process import Server

if t.TYPE_CHECKING:
    import pymemcache  # type: ignore[import-untyped]


class MemcachedServer(Server):
    """A memcached server; it loses everything in :meth:`restart`.

    :param options: more of the command line.
    :param unix: whether it listens at :attr:`socket` in place of a port.
    """

    programs = ("memcached",)

    def __init__(self, options: cabc.Sequence[str] = (), *, unix: bool = False) -> None:
        super().__init__()
        self.socket = self.folder / "memcached.sock" if unix else None
        self.options = options

    def command(self) -> list[str]:
        where = [f"--unix-socket={self.socket}"] if self.socket else ["-l", self.host]
        user = ["-u", "root"] if os.geteuid() == 0 else []
        return [self.program, *user, *where, "-p", str(self.port), "-U", "0", *self.options]

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(*self._kind()) as probe:
            probe.settimeout(1)
            probe.connect(str(self.socket) if self.socket else (self.host, self.port))
            probe.sendall(b"version\r\n")
            return probe.recv(100).startswith((b"VERSION", b"CLIENT_ERROR unauth"))
        return False

    def _kind(self) -> tuple[int, int]:
        return (socket.AF_UNIX if self.socket else socket.AF_INET), socket.SOCK_STREAM

    @property
    def url(self) -> str:
        return f"memcached://{self.socket or f'{self.host}:{self.port}'}"

    def client(self) -> pymemcache.Client:
        """Return a client for looking behind the store's back; it waits for answers."""
        import pymemcache

        server = str(self.socket) if self.socket else (self.host, self.port)
        return pymemcache.Client(server, default_noreply=False)
