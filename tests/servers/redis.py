"""Redis, or Valkey where that is what there is."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import typing as t

from .process import Server

if t.TYPE_CHECKING:
    import redis


class RedisServer(Server):
    """A Redis server.

    :param persistent: whether it flushes every write to its disk before it answers, so that it has
        all that it acknowledged after :meth:`restart`.
    :param options: settings of redis.conf, with underscores for dashes.
    """

    programs = ("redis-server", "valkey-server")

    def __init__(self, *, persistent: bool = False, **options: str) -> None:
        super().__init__()
        self.port = quiet_port()
        self.socket = self.folder / "redis.sock"
        self.password = options.get("requirepass")
        self.options = {
            "bind": self.host,
            "port": str(self.port),
            "unixsocket": str(self.socket),
            "dir": str(self.folder),
            "save": "",
            "appendonly": "yes" if persistent else "no",
            "appendfsync": "always",
            **{name.replace("_", "-"): value for name, value in options.items()},
        }

    def command(self) -> list[str]:
        settings = [[f"--{name}", *(value.split() or [""])] for name, value in self.options.items()]
        return [self.program, *itertools.chain.from_iterable(settings)]

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 1) as c:
            c.sendall(b"PING\r\n")
            return c.recv(100).startswith((b"+PONG", b"-NOAUTH"))
        return False

    @property
    def url(self) -> str:
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}{self.host}:{self.port}/0"

    def client(self) -> redis.Redis:
        """Return a client for looking behind the store's back."""
        import redis

        return redis.Redis.from_url(self.url, decode_responses=False)


def quiet_port() -> int:
    """Return a free port that no outgoing connection gets: a server may come back to it later."""
    while True:
        port = random.randrange(10_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
