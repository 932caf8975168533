"""What can go wrong with a Redis server, each as a context in which it does."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import threading

import redis

from tests.servers import RedisServer

from . import server_troubles
from .server_troubles import cut_in_the_middle_of_a_reply
from .server_troubles import killed
from .server_troubles import paused

Scene = server_troubles.Scene[RedisServer]
Trouble = cabc.Callable[[Scene], contextlib.AbstractContextManager[object]]


@contextlib.contextmanager
def too_many_clients(scene: Scene) -> cabc.Generator[None, None, None]:
    with scene.server.client() as admin:
        before = admin.config_get("maxclients")["maxclients"]
        admin.config_set("maxclients", 1)
        admin.client_kill_filter(_type="normal", skipme=True)

        try:
            yield
        finally:
            admin.config_set("maxclients", before)


@contextlib.contextmanager
def another_password(scene: Scene) -> cabc.Generator[None, None, None]:
    with scene.server.client() as admin:
        admin.config_set("requirepass", "another")
        admin.client_kill_filter(_type="normal", skipme=True)

        try:
            yield
        finally:
            admin.config_set("requirepass", "")


@contextlib.contextmanager
def busy_with_a_script(scene: Scene) -> cabc.Generator[None, None, None]:
    with scene.server.client() as admin, scene.server.client() as victim:
        admin.config_set("busy-reply-threshold", 20)

        def loop() -> None:
            with contextlib.suppress(redis.RedisError):
                victim.eval("while true do end", 0)

        thread = threading.Thread(target=loop)
        thread.start()

        with contextlib.suppress(redis.ResponseError):  # BUSY
            while admin.ping():
                pass

        try:
            yield
        finally:
            admin.script_kill()
            thread.join()


@contextlib.contextmanager
def _replica_of_nobody(scene: Scene, serve_stale_data: str) -> cabc.Generator[None, None, None]:
    with scene.server.client() as admin:
        admin.config_set("replica-serve-stale-data", serve_stale_data)
        admin.replicaof("127.0.0.1", "1")

        try:
            yield
        finally:
            admin.replicaof("NO", "ONE")


def replica_that_lost_its_master(scene: Scene) -> contextlib.AbstractContextManager[None]:
    return _replica_of_nobody(scene, "no")


def read_only_replica(scene: Scene) -> contextlib.AbstractContextManager[None]:
    return _replica_of_nobody(scene, "yes")


@contextlib.contextmanager
def out_of_memory(scene: Scene) -> cabc.Generator[None, None, None]:
    with scene.server.client() as admin:
        admin.config_set("maxmemory-policy", "noeviction")
        admin.config_set("maxmemory", "1")

        try:
            yield
        finally:
            admin.config_set("maxmemory", "0")


@contextlib.contextmanager
def too_few_replicas(scene: Scene) -> cabc.Generator[None, None, None]:
    with scene.server.client() as admin:
        admin.config_set("min-replicas-to-write", "1")

        try:
            yield
        finally:
            admin.config_set("min-replicas-to-write", "0")


@contextlib.contextmanager
def writes_held_up(scene: Scene) -> cabc.Generator[None, None, None]:
    """As during a failover: reads are answered, writes wait."""
    with scene.server.client() as admin:
        admin.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")

        try:
            yield
        finally:
            admin.execute_command("CLIENT", "UNPAUSE")


#: Nothing can be read or written; no connection, or no answer on it.
UNREACHABLE: tuple[Trouble, ...] = (killed, paused, cut_in_the_middle_of_a_reply, too_many_clients)

#: The server answers every command with an error.
REFUSING: tuple[Trouble, ...] = (
    another_password,
    busy_with_a_script,
    replica_that_lost_its_master,
)

#: What is there can be read.
READ_ONLY: tuple[Trouble, ...] = (
    out_of_memory,
    read_only_replica,
    too_few_replicas,
    writes_held_up,
)
