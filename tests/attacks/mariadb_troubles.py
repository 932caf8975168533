"""What can go wrong with a MariaDB server, each as a context in which it does."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import typing as t

from tests.servers import MariaDBServer

from . import server_troubles
from .server_troubles import cut_in_the_middle_of_a_reply
from .server_troubles import killed
from .server_troubles import paused

#: Whom the site connects as; administrators are let in where others are not.
USER: t.Final = "shop"


Scene = server_troubles.Scene[MariaDBServer]
Trouble = cabc.Callable[[Scene], contextlib.AbstractContextManager[object]]


@contextlib.contextmanager
def too_many_connections(scene: Scene) -> cabc.Generator[None, None, None]:
    scene.server.execute("SET GLOBAL max_connections = 10")
    end_connections(scene)
    others = []

    try:
        with contextlib.suppress(Exception):  # until it has enough of them
            while True:
                others.append(scene.server.client())

        yield
    finally:
        with others.pop() as admin, admin.cursor() as cursor:
            cursor.execute("SET GLOBAL max_connections = 151")

        for other in others:
            other.close()


@contextlib.contextmanager
def another_password(scene: Scene) -> cabc.Generator[None, None, None]:
    scene.server.execute(f"ALTER USER {USER} IDENTIFIED BY 'another'")
    end_connections(scene)

    try:
        yield
    finally:
        scene.server.execute(f"ALTER USER {USER} IDENTIFIED BY ''")


@contextlib.contextmanager
def table_renamed(scene: Scene) -> cabc.Generator[None, None, None]:
    scene.server.execute("RENAME TABLE sessionkit_sessions TO away")

    try:
        yield
    finally:
        scene.server.execute("RENAME TABLE away TO sessionkit_sessions")


@contextlib.contextmanager
def table_locked(scene: Scene) -> cabc.Generator[None, None, None]:
    """As while somebody alters it."""
    with scene.server.client() as admin, admin.cursor() as cursor:
        cursor.execute("LOCK TABLES sessionkit_sessions WRITE")

        try:
            yield
        finally:
            cursor.execute("UNLOCK TABLES")


@contextlib.contextmanager
def read_only(scene: Scene) -> cabc.Generator[None, None, None]:
    scene.server.execute("SET GLOBAL read_only = 1")

    try:
        yield
    finally:
        scene.server.execute("SET GLOBAL read_only = 0")


@contextlib.contextmanager
def no_right_to_write(scene: Scene) -> cabc.Generator[None, None, None]:
    scene.server.execute(f"REVOKE INSERT, UPDATE, DELETE ON sessions.* FROM {USER}")
    end_connections(scene)

    try:
        yield
    finally:
        scene.server.execute(f"GRANT ALL ON sessions.* TO {USER}")
        end_connections(scene)


@contextlib.contextmanager
def all_rows_locked(scene: Scene) -> cabc.Generator[None, None, None]:
    """As by a backup, or by somebody who went to lunch."""
    with scene.server.client() as admin, admin.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM sessionkit_sessions FOR UPDATE")

        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def end_connections(scene: Scene) -> None:
    """End those of the site."""
    scene.server.execute(f"KILL USER {USER}")


#: Nothing can be read or written; no connection, or no answer on it.
UNREACHABLE: tuple[Trouble, ...] = (
    killed,
    paused,
    cut_in_the_middle_of_a_reply,
    too_many_connections,
    table_locked,
)

#: Nothing can be read or written, and the server says so.
REFUSING: tuple[Trouble, ...] = (another_password, table_renamed)

#: Everything can be read.
READ_ONLY: tuple[Trouble, ...] = (read_only, no_right_to_write, all_rows_locked)
