"""Requests that wait for each other, so that an overlap is forced and not hoped for.

A view that passes a gate connects to a socket of the test and waits until the test lets it go on.
"""

from __future__ import annotations

import contextlib
import socket
import typing as t

if t.TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 20.0


def pass_gate(port: str | None) -> None:
    """Wait in a view until the test at *port* opens its gate; do nothing without a port."""
    if port is not None:
        with socket.create_connection(("127.0.0.1", int(port)), PATIENCE) as connection:
            connection.recv(1)


class Gate:
    """The test's side. Give :attr:`port` to the requests that shall wait."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(PATIENCE)
        self._waiting: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    def wait_for(self, number: int) -> None:
        """Return when so many requests are at the gate."""
        while len(self._waiting) < number:
            self._waiting.append(self._listener.accept()[0])

    def open(self, number: int | None = None) -> None:
        """Let those go on who wait, or the first of them."""
        for connection in self._waiting[:number]:
            with contextlib.suppress(OSError):
                connection.sendall(b".")
            connection.close()

        del self._waiting[:number]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.open()
        self._listener.close()
