"""What all servers of a web site that tests visit by a URL have in common."""

from __future__ import annotations

import contextlib
import socket

from .process import Server


class WebServer(Server):
    """Ready as soon as it takes connections."""

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 1):
            return True
        return False

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"
