"""What a request asks of its store, counted at the wire and at the system: exact, and no jitter."""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
import struct
import sys
import threading
import typing as t

from tests.servers.proxy import Proxy

if t.TYPE_CHECKING:
    import collections.abc as cabc


class Parser(t.Protocol):
    """Finds the commands in what a client says on one connection."""

    def feed(self, data: bytes, /) -> cabc.Iterator[str]: ...


class RedisParser:
    """Arrays of bulk strings."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes, /) -> cabc.Iterator[str]:
        self._data += data
        while (command := self._next()) is not None:
            yield command

    def _next(self) -> str | None:
        data = self._data
        head = re.match(rb"\*(\d+)\r\n", data)
        if head is None:
            return None
        position, name = head.end(), b""
        for number in range(int(head[1])):
            length = re.compile(rb"\$(\d+)\r\n").match(data, position)
            if length is None or len(data) < length.end() + int(length[1]) + 2:
                return None
            position = length.end() + int(length[1]) + 2
            if number == 0:
                name = data[length.end() : position - 2]
        self._data = data[position:]
        return name.decode().upper()


class MemcachedParser:
    """Lines; those that store something are followed by a block of bytes."""

    _storing: t.ClassVar = {b"set", b"add", b"replace", b"cas", b"ms"}

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes, /) -> cabc.Iterator[str]:
        self._data += data
        while b"\r\n" in self._data:
            line, _, rest = self._data.partition(b"\r\n")
            words = line.split()
            if words and words[0] in self._storing:
                size = int(words[2] if words[0] == b"ms" else words[4]) + 2
                if len(rest) < size:
                    return
                rest = rest[size:]
            self._data = rest
            if words and words[0] != b"mn":
                yield words[0].decode()


class PostgresParser:
    """Messages of the protocol; executing a prepared statement names the statement."""

    def __init__(self) -> None:
        self._data = b""
        self._begun = False
        self._texts: dict[bytes, bytes] = {}
        self._bound = b""

    def feed(self, data: bytes, /) -> cabc.Iterator[str]:
        self._data += data
        while (message := self._next()) is not None:
            kind, body = message
            if kind == b"Q":
                yield from map(_verb, filter(bytes.strip, body[:-1].split(b";")))
            elif kind == b"P":
                name, text, _ = body.split(b"\0", 2)
                self._texts[name] = text
            elif kind == b"B":
                self._bound = body.split(b"\0", 2)[1]
            elif kind == b"E":
                yield _verb(self._texts.get(self._bound, b"?"))

    def _next(self) -> tuple[bytes, bytes] | None:
        skip = 1 if self._begun else 0  # the first message has no kind
        if len(self._data) < skip + 4:
            return None
        length: int = struct.unpack_from(">I", self._data, skip)[0]
        end = skip + length
        if len(self._data) < end:
            return None
        kind, body = self._data[:skip], self._data[skip + 4 : end]
        self._data = self._data[end:]
        # 80877103 asks whether TLS is spoken, which is no greeting yet.
        self._begun = self._begun or body[:4] != struct.pack(">I", 80877103)
        return kind, body


def _verb(statement: bytes) -> str:
    words = statement.split()
    verb = words[0].decode().upper() if words else "?"
    if verb != "WITH":
        return verb
    return "+".join(re.findall(r"UPDATE|INSERT|DELETE", statement.decode().upper()))


PARSERS: dict[str, cabc.Callable[[], Parser]] = {
    "redis": RedisParser,
    "memcached": MemcachedParser,
    "postgres": PostgresParser,
}


class CountingProxy(Proxy):
    """Hands on what is said, and counts commands and round trips.

    A round trip is what a client says until it is answered, in however many pieces it comes.

    :param kind: whose protocol is spoken.
    :param port: where the server is.
    """

    def __init__(self, kind: str, port: int) -> None:
        self._parser = PARSERS[kind]
        self._lock = threading.Lock()
        self.commands: list[str] = []
        self.round_trips = 0
        self._parsers: dict[socket.socket, Parser] = {}
        self._asking: set[socket.socket] = set()
        super().__init__(port)

    def reset(self) -> None:
        with self._lock:
            self.commands.clear()
            self.round_trips = 0
            self._asking.clear()

    def saw(self, client: socket.socket, data: bytes, *, is_request: bool) -> None:
        with self._lock:
            if not is_request:
                self._asking.discard(client)
                return
            if client not in self._asking:
                self._asking.add(client)
                self.round_trips += 1
            self.commands += self._parsers.setdefault(client, self._parser()).feed(data)


class LocalCounts:
    """SQL statements of SQLite, and what is done to files, in this process; as a ``with`` block."""

    _files: t.ClassVar = {
        "open": "open",
        "os.rename": "rename",
        "os.remove": "remove",
        "os.mkdir": "mkdir",
        "os.truncate": "truncate",
        "os.chmod": "chmod",
        "os.utime": "utime",
        "fcntl.flock": "flock",
        "fcntl.lockf": "lockf",
    }

    def __init__(self) -> None:
        self._done: list[str] | None = None
        connect: t.Any = sqlite3.connect

        def traced(*arguments: t.Any, **named: t.Any) -> t.Any:
            connection = connect(*arguments, **named)
            connection.set_trace_callback(self._executed)
            return connection

        # Both names are used.
        sqlite3.connect = sqlite3.dbapi2.connect = traced
        sys.addaudithook(self._happened)

    def __enter__(self) -> list[str]:
        self._done = []
        return self._done

    def __exit__(self, *exception: object) -> None:
        self._done = None

    def _executed(self, statement: str) -> None:
        if self._done is not None and not statement.startswith("--"):  # what a trigger does
            self._done.append(_verb(statement.encode()))

    def _happened(self, event: str, arguments: tuple[t.Any, ...]) -> None:
        if self._done is None or event not in self._files:
            return
        if event.startswith("fcntl") and arguments[1] & 8:
            return  # the lock is given back
        self._done.append(self._files[event])


@contextlib.contextmanager
def proxies(ports: dict[str, int]) -> cabc.Iterator[dict[str, CountingProxy]]:
    """Start a proxy before each of these servers."""
    with contextlib.ExitStack() as stack:
        yield {kind: stack.enter_context(CountingProxy(kind, port)) for kind, port in ports.items()}
