"""memcached, for stores that may forget."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import socket
import ssl
import typing as t

from .process import Server
from .redis_tls import make_certificate

if t.TYPE_CHECKING:
    import pymemcache  # type: ignore[import-untyped]


class MemcachedServer(Server):
    """A memcached server; it loses everything in :meth:`restart`.

    :param options: more of the command line.
    :param unix: whether it listens at :attr:`socket` in place of a port.
    :param tls: whether it speaks TLS; :attr:`authority` has signed its certificate.
    """

    programs = ("memcached",)

    def __init__(
        self, options: cabc.Sequence[str] = (), *, unix: bool = False, tls: bool = False
    ) -> None:
        super().__init__()
        self.socket = self.folder / "memcached.sock" if unix else None
        self.authority = self.folder / "ca.pem"
        self.tls = tls
        self.options = [*options]
        if tls:
            certificate, key = self.folder / "server.pem", self.folder / "server.key"
            make_certificate(self.host, self.authority, certificate, key)
            self.options += ["-Z", "-o", f"ssl_chain_cert={certificate},ssl_key={key}"]

    def command(self) -> list[str]:
        where = [f"--unix-socket={self.socket}"] if self.socket else ["-l", self.host]
        user = ["-u", "root"] if os.geteuid() == 0 else []
        return [self.program, *user, *where, "-p", str(self.port), "-U", "0", *self.options]

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError), self._probe() as probe:
            probe.settimeout(1)
            probe.connect(str(self.socket) if self.socket else (self.host, self.port))
            probe.sendall(b"version\r\n")
            return probe.recv(100).startswith((b"VERSION", b"CLIENT_ERROR unauth"))
        return False

    def _probe(self) -> socket.socket:
        probe = socket.socket(socket.AF_UNIX if self.socket else socket.AF_INET)
        return self.context().wrap_socket(probe, server_hostname=self.host) if self.tls else probe

    def context(self) -> ssl.SSLContext:
        """Return what a client needs that speaks TLS."""
        return ssl.create_default_context(cafile=self.authority)

    @property
    def url(self) -> str:
        return f"memcached://{self.socket or f'{self.host}:{self.port}'}"

    def client(self) -> pymemcache.Client:
        """Return a client for looking behind the store's back; it waits for answers."""
        import pymemcache

        server = str(self.socket) if self.socket else (self.host, self.port)
        return pymemcache.Client(server, default_noreply=False)
