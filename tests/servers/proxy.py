"""A wire between a client and a server that can be cut at the worst moment."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

from .process import free_port

if t.TYPE_CHECKING:
    from typing_extensions import Self


class Proxy:
    """Hands on what a client and a server say to each other.

    :ivar lose_answers: close the connection in place of handing an answer on: the server has done
        what it was told, and nobody will know.
    :ivar requests: how many pieces of requests the server got.
    :ivar connections: how many connections were made.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._sockets: list[socket.socket] = []
        self.port = free_port()
        self.lose_answers = False
        self.requests = 0
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Close all connections; new ones can be made."""
        while self._sockets:
            _close(self._sockets.pop())

    def saw(self, client: socket.socket, data: bytes, *, is_request: bool) -> None:
        """Take note of what is about to be handed on from or to a client."""
        self.requests += is_request

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for source, target, is_request in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._hand_on, args=(source, target, is_request), daemon=True
                    ).start()

    def _hand_on(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                self.saw(source if is_request else target, data, is_request=is_request)
                if self.lose_answers and not is_request:
                    break
                target.sendall(data)
        _close(source)
        _close(target)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
