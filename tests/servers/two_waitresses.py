"""Processes of waitress that share a listening socket, and are replaced. Run as a program."""

from __future__ import annotations

import importlib
import os
import socket
import sys

import waitress  # type: ignore[import-untyped]


def main(host: str, port: int, processes: int, threads: int, *, preload: bool) -> None:
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as text
    listening = socket.create_server((host, port), backlog=1024)

    if preload:
        importlib.import_module("served")

    while True:
        if processes == 0:
            os.wait()
            processes += 1

        if os.fork() == 0:
            application = importlib.import_module("served").application
            waitress.serve(application, sockets=[listening], threads=threads)
            break

        processes -= 1


if __name__ == "__main__":
    _, _host, _port, _processes, _threads, _when = sys.argv
    main(_host, int(_port), int(_processes), int(_threads), preload=_when == "preload")
