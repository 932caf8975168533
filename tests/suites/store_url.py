"""The store on which a suite is run."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import tempfile


@contextlib.contextmanager
def store_url(kind: str, file: str = "sessions.sqlite3") -> cabc.Generator[str, None, None]:
    """Make a store; its URL is good until this ends.

    :param kind: ``"sqlite"``, in a folder of its own, ``"model"``, the one of Django's project, or
        ``"redis"``, on a server of its own.
    :param file: the name of the SQLite file.
    """
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/{file}"
    elif kind == "model":
        yield "django:"
    else:
        from tests.servers import RedisServer

        server = RedisServer()

        try:
            server.start()
            yield server.url
        finally:
            server.remove()
