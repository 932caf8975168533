"""One connection to one memcached, which pymemcache has made and which is then used directly.

Its own methods leave an answer behind when they are interrupted, name keys in their errors, and
read large values in small pieces.
"""

from __future__ import annotations

import re
import ssl
import typing as t

from pymemcache import exceptions  # type: ignore[import-untyped]

from sessionkit.errors import ConfigurationError

from ._readiness import is_ready

_CHUNK = 65536
_LONGEST_LINE = 2048

# Before, `md` compares the cas of an item with nothing that it was told.
_COMPARED_DELETE = (1, 6, 13)

_AFTER_VALUE = b"\r\nEND\r\n"

#: What the server says to a change, and whether it was made.
_ANSWERS = {
    b"STORED": True,
    b"NOT_STORED": False,
    b"EXISTS": False,
    b"NOT_FOUND": False,
    b"HD": True,
    b"NF": False,
    b"EX": False,
}


class Socket(t.Protocol):
    """What is used of a socket, which may be one of gevent's or one with TLS."""

    def sendall(self, data: bytes, /) -> object: ...
    def recv(self, size: int, /) -> bytes: ...
    def settimeout(self, seconds: float | None, /) -> None: ...
    def fileno(self) -> int: ...


class Connection:
    """A connection; what raises anything leaves it unfit for further use.

    :param client: pymemcache's, connected.
    :param version: the server's.
    :ivar number: counts the connections to a server.
    """

    def __init__(self, client: t.Any, version: tuple[int, ...], number: int) -> None:
        self._client = client
        self._socket: Socket = client.sock
        self._is_plain = not client.tls_context
        self._can_delete = version >= _COMPARED_DELETE
        self.number = number

    def close(self) -> None:
        self._client.close()

    def is_alive(self) -> bool:
        """Whether the other end is still there, and has nothing to say that nobody asked for."""
        try:
            if self._is_plain:
                return not is_ready(self._socket.fileno(), 0)
            # What is there to read may be TLS's own, which is nobody's answer.
            self._socket.settimeout(0)
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            self._socket.settimeout(self._client.timeout)
            return True
        except (OSError, ValueError):
            return False
        return False

    def gets(self, name: bytes) -> tuple[bytes, bytes] | None:
        """Return what is stored under *name* with its cas, or None."""
        self._socket.sendall(b"gets %b\r\n" % name)
        data = self._receive()
        while (end := data.find(b"\r\n")) < 0:
            data = self._more_of_a_line(data)
        line = data[:end]
        if line == b"END" and len(data) == 5:
            return None
        words = line.split(b" ")
        if words[:2] != [b"VALUE", name] or len(words) != 5:
            _refuse(line)
        size, cas = words[3:]
        if not (size.isdigit() and cas.isdigit()):
            _refuse(line)
        if cas == b"0":
            raise ConfigurationError(
                "this memcached was started with -C, without which no change is safe"
            )
        start = end + 2
        stop = start + int(size)
        missing = stop + len(_AFTER_VALUE) - len(data)
        if missing > 0:
            parts = [data]
            while missing > 0:
                parts.append(self._receive())
                missing -= len(parts[-1])
            data = b"".join(parts)
        if data[stop:] != _AFTER_VALUE:
            _refuse(b"")
        return data[start:stop], cas

    def add(self, name: bytes, deadline: int, value: bytes) -> bool:
        """Store *value* where nothing is."""
        return self._change(b"add %b 0 %d %d\r\n%b\r\n" % (name, deadline, len(value), value))

    def replace(self, name: bytes, cas: bytes, deadline: int, value: bytes) -> bool:
        """Store *value* in place of what has this cas."""
        return self._change(
            b"cas %b 0 %d %d %b\r\n%b\r\n" % (name, deadline, len(value), cas, value)
        )

    def delete(self, name: bytes, cas: bytes) -> bool:
        """Remove what has this cas. Frees memory where there is none."""
        if self._can_delete:
            return self._change(b"md %b C%b\r\n" % (name, cas))
        return self.replace(name, cas, -1, b"")  # which has expired at once

    def _change(self, request: bytes) -> bool:
        self._socket.sendall(request)
        data = self._receive()
        while not data.endswith(b"\r\n"):
            data = self._more_of_a_line(data)
        line = data.rstrip()
        if line.startswith(b"SERVER_ERROR object too large"):
            raise exceptions.MemcacheServerError(
                f"a session of {len(request)} bytes is more than it takes: its item_size_max is "
                f"{self._item_size_max()}, set with -I"
            )
        if line not in _ANSWERS:
            _refuse(line)
        return _ANSWERS[line]

    def _item_size_max(self) -> str:
        try:
            return str(int(self._client.stats("settings")[b"item_size_max"]))
        except Exception:  # noqa: BLE001 - it only makes a message better
            return "unknown"

    def _receive(self) -> bytes:
        data = self._socket.recv(_CHUNK)
        if not data:
            raise exceptions.MemcacheUnexpectedCloseError
        return data

    def _more_of_a_line(self, data: bytes) -> bytes:
        if len(data) > _LONGEST_LINE:
            _refuse(b"")
        return data + self._receive()


def _refuse(line: bytes) -> t.NoReturn:
    """Raise the error for a line that is none of the expected, which may quote what is secret."""
    shown = re.sub(rb"[0-9a-f]{16,}", b"...", line)[:200]
    kind, _, text = shown.decode("ascii", "replace").partition(" ")
    if kind == "SERVER_ERROR":
        raise exceptions.MemcacheServerError(text)
    if kind in ("CLIENT_ERROR", "ERROR"):
        raise exceptions.MemcacheClientError(text or "the command is not known")
    raise exceptions.MemcacheUnknownError("this is no answer of a memcached")
