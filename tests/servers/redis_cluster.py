"""A Redis Cluster: three masters, and replicas where they are wanted."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import secrets
import time
import typing as t

from .process import PATIENCE
from .redis import RedisServer
from .redis import quiet_port

if t.TYPE_CHECKING:
    import redis
    from typing_extensions import Self

_RANGES = ((0, 5460), (5461, 10922), (10923, 16383))


class ClusterNode(RedisServer):
    """A node, which knows the others from its start."""

    def __init__(self, slots: tuple[int, int] | None, master: ClusterNode | None, **options: t.Any):
        super().__init__(**options)
        self.id = secrets.token_hex(20)
        self.bus = quiet_port()
        self.slots = slots
        self.master = master
        self.options |= {
            "cluster-enabled": "yes",
            "cluster-port": str(self.bus),
            "cluster-config-file": "nodes.conf",
        }

    def line(self, epoch: int, *, myself: bool) -> str:
        """Return what a nodes.conf says of this one."""
        flags = ("myself," if myself else "") + ("slave" if self.master else "master")
        above = self.master.id if self.master else "-"
        slots = f" {self.slots[0]}-{self.slots[1]}" if self.slots else ""
        place = f"{self.host}:{self.port}@{self.bus}"
        return f"{self.id} {place} {flags} {above} 0 0 {epoch} connected{slots}"


class RedisCluster:
    """Three masters that share the slots.

    :param replicas: how many each of them has.
    :param options: settings of all nodes.
    """

    def __init__(self, *, replicas: int = 0, **options: t.Any) -> None:
        options = {
            "cluster_node_timeout": "1000",
            "cluster_replica_validity_factor": "0",
            "cluster_require_full_coverage": "no",
            "repl_diskless_sync_delay": "0",
            **options,
        }
        self.masters = [ClusterNode(slots, None, **options) for slots in _RANGES]
        self.replicas = [
            ClusterNode(None, master, **options) for master in self.masters for _ in range(replicas)
        ]
        self.nodes = [*self.masters, *self.replicas]
        for node in self.nodes:
            epochs = {master.id: turn for turn, master in enumerate(self.masters, 1)}
            lines = [
                other.line(epochs.get((other.master or other).id, 0), myself=other is node)
                for other in self.nodes
            ]
            lines.append(f"vars currentEpoch {len(epochs)} lastVoteEpoch 0\n")
            (node.folder / "nodes.conf").write_text("\n".join(lines))

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"{node.host}:{node.port}" for node in self.nodes)

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        self.wait()

    def wait(self) -> None:
        """Return when all nodes that run serve all slots, and all replicas are in step."""
        give_up = time.monotonic() + PATIENCE
        while not all(self._is_ready(node) for node in self.nodes if node.process):
            assert time.monotonic() < give_up, "the cluster does not start"
            time.sleep(0.02)

    def flush(self) -> None:
        for node in self.nodes:
            with node.client() as client, contextlib.suppress(client_error()):
                client.flushall()

    def holder(self, slot: int) -> ClusterNode:
        """Return the master where the keys of a slot are."""
        for node in self.masters:
            with node.client() as client:
                if _execute(client, "CLUSTER COUNTKEYSINSLOT", slot):
                    return node
        raise LookupError(slot)

    def move(self, slots: cabc.Iterable[int], source: ClusterNode, target: ClusterNode) -> None:
        """Move slots with their keys, as ``redis-cli --cluster reshard`` does."""
        with source.client() as giver, target.client() as taker:
            for slot in slots:
                _execute(taker, "CLUSTER SETSLOT", slot, "IMPORTING", source.id)
                _execute(giver, "CLUSTER SETSLOT", slot, "MIGRATING", target.id)
                while names := _execute(giver, "CLUSTER GETKEYSINSLOT", slot, 10):
                    place = target.host, target.port
                    _execute(giver, "MIGRATE", *place, "", 0, 5000, "KEYS", *names)
                _execute(taker, "CLUSTER SETSLOT", slot, "NODE", target.id)
                _execute(giver, "CLUSTER SETSLOT", slot, "NODE", target.id)

    def remove(self) -> None:
        for node in self.nodes:
            node.remove()

    def _is_ready(self, node: ClusterNode) -> bool:
        with node.client() as client:
            info: t.Any = client.cluster("info")
            said = info if isinstance(info, dict) else {}
            link = client.info("replication").get("master_link_status", "up")
            known = said.get("cluster_known_nodes") == str(len(self.nodes))
            return said.get("cluster_state") == "ok" and known and link == "up"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def _execute(client: t.Any, command: str, *arguments: t.Any) -> t.Any:
    return client.execute_command(*command.split(), *arguments)


def client_error() -> type[redis.RedisError]:
    import redis

    return redis.ReadOnlyError
