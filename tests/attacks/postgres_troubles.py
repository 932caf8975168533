"""What can go wrong with a PostgreSQL server, each as a context in which it does."""

from __future__ import annotations

import collections.abc as cabc
import contextlib

from tests.servers import PostgreSQLServer

from . import server_troubles
from .server_troubles import cut_in_the_middle_of_a_reply
from .server_troubles import killed
from .server_troubles import paused

USER = "shop"
TABLE = "sessionkit_sessions"


Scene = server_troubles.Scene[PostgreSQLServer]
Trouble = cabc.Callable[[Scene], contextlib.AbstractContextManager[object]]


def end_connections(scene: Scene) -> None:
    """End those of the site, and wait until they are gone."""
    query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s"
    scene.server.execute(query, USER)


def _changed(
    name: str, change: str, back: str, *, reconnect: bool = True
) -> cabc.Callable[[Scene], contextlib.AbstractContextManager[object]]:
    """Return the trouble that a statement makes, and another one ends."""

    @contextlib.contextmanager
    def trouble(scene: Scene) -> cabc.Generator[None, None, None]:
        scene.server.execute(change)

        if reconnect:
            end_connections(scene)

        try:
            yield
        finally:
            scene.server.execute(back)

            if reconnect:
                end_connections(scene)

    trouble.__name__ = name
    return trouble


too_many_connections = _changed(
    "too_many_connections",
    f"ALTER ROLE {USER} CONNECTION LIMIT 0",
    f"ALTER ROLE {USER} CONNECTION LIMIT -1",
)
no_login = _changed("no_login", f"ALTER ROLE {USER} NOLOGIN", f"ALTER ROLE {USER} LOGIN")
no_table = _changed(
    "no_table",
    f"ALTER TABLE {TABLE} RENAME TO moved",
    f"ALTER TABLE moved RENAME TO {TABLE}",
    reconnect=False,
)
no_rights = _changed(
    "no_rights",
    f"REVOKE ALL ON {TABLE} FROM {USER}",
    f"GRANT ALL ON {TABLE} TO {USER}",
    reconnect=False,
)
may_only_read = _changed(
    "may_only_read",
    f"REVOKE INSERT, UPDATE, DELETE ON {TABLE} FROM {USER}",
    f"GRANT ALL ON {TABLE} TO {USER}",
    reconnect=False,
)
read_only_server = _changed(
    "read_only_server",
    f"ALTER ROLE {USER} SET default_transaction_read_only = on",
    f"ALTER ROLE {USER} RESET default_transaction_read_only",
)


@contextlib.contextmanager
def writes_held_up(scene: Scene) -> cabc.Generator[None, None, None]:
    """As by a migration: reads are answered, writes wait."""
    with scene.server.client() as admin, admin.transaction():
        admin.execute(f"LOCK TABLE {TABLE} IN EXCLUSIVE MODE".encode())
        yield


@contextlib.contextmanager
def everything_held_up(scene: Scene) -> cabc.Generator[None, None, None]:
    """As by VACUUM FULL, or a migration that was forgotten."""
    with scene.server.client() as admin, admin.transaction():
        admin.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE".encode())
        yield


#: Nothing can be read or written; no connection, or no answer on it.
UNREACHABLE: tuple[Trouble, ...] = (
    killed,
    paused,
    cut_in_the_middle_of_a_reply,
    too_many_connections,
    everything_held_up,
)

#: The server answers every statement with an error.
REFUSING: tuple[Trouble, ...] = (no_login, no_table, no_rights)

#: What is there can be read.
READ_ONLY: tuple[Trouble, ...] = (may_only_read, read_only_server, writes_held_up)
