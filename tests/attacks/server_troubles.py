"""What can go wrong with any server, each as a context in which it does."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import dataclasses
import socket
import typing as t

from tests.servers import Proxy
from tests.servers import Server

S = t.TypeVar("S", bound=Server)


class HalfwayProxy(Proxy):
    """Hands on the first byte of each answer, and cuts the wire, while ``lose_answers`` is set."""

    def _hand_on(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                if self.lose_answers and not is_request:
                    target.sendall(data[:1])
                    break

                target.sendall(data)

        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

            end.close()


@dataclasses.dataclass(frozen=True)
class Scene(t.Generic[S]):
    """A server and the wire to it."""

    server: S
    proxy: HalfwayProxy


@contextlib.contextmanager
def killed(scene: Scene[t.Any]) -> cabc.Generator[None, None, None]:
    scene.server.kill()

    try:
        yield
    finally:
        scene.server.start()


@contextlib.contextmanager
def paused(scene: Scene[t.Any]) -> cabc.Generator[None, None, None]:
    scene.server.pause()

    try:
        yield
    finally:
        scene.server.resume()


@contextlib.contextmanager
def cut_in_the_middle_of_a_reply(scene: Scene[t.Any]) -> cabc.Generator[None, None, None]:
    scene.proxy.lose_answers = True

    try:
        yield
    finally:
        scene.proxy.lose_answers = False
