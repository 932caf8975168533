"""The way to the nodes of a Redis Cluster.

redis-py's cluster client sends a write again whose answer was lost; here only that is sent again
which a node has refused, or which was never sent. No lock is held while a node is asked, so that
a fork cannot inherit one: whoever finds the map wrong asks for a new one, and the last one wins.
"""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import time
import typing as t

import redis

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable

from ._redis_connections import Check
from ._redis_connections import DirectConnections
from ._redis_connections import Limits
from ._redis_connections import can_be_copied
from ._redis_connections import make_direct
from ._redis_connections import parse_redis_url
from ._redis_packing import Command
from ._redis_scripts import Script
from ._redis_slots import Address
from ._redis_slots import Remap
from ._redis_slots import SlotMap
from ._redis_slots import name_of
from ._redis_slots import parse_slots
from ._redis_slots import slot_of
from ._redis_urls import split_hosts
from ._redis_wire import NotSent
from ._redis_wire import Redirection
from ._redis_wire import Wire
from ._redis_wire import is_down
from ._redis_wire import redirection

#: Seconds for which a node that did not answer is not asked for what others can tell, too.
PAUSE = 1.0

#: Nodes that are asked for the map before it is given up; each may take a time-out.
_ASKED = 3

_REDIRECTIONS = 8

T = t.TypeVar("T")


class ClusterSource(t.NamedTuple):
    """Where a cluster is: the class and arguments of its connections, and some of its nodes."""

    connection_class: t.Any
    arguments: dict[str, t.Any]
    startup: tuple[Address, ...]
    remap: Remap | None = None


class Cluster:
    """Sends each command to the node that holds its key.

    :param make_wire: makes the way to a node from its connections.
    """

    def __init__(
        self,
        source: ClusterSource,
        limits: Limits,
        check: Check,
        make_wire: cabc.Callable[[DirectConnections], Wire],
    ) -> None:
        self._source = source
        self._limits = limits
        self._check = check
        self._make_wire = make_wire
        self._map = self._unknown = SlotMap.unknown(source.startup[0])
        self._down: dict[Address, float] = {}
        self._wires = {source.startup[0]: self._make(source.startup[0])}
        self.timeout: float | None = self._connections(source.startup[0]).timeout
        self.address = f"redis+cluster://{','.join(map(name_of, source.startup))}"

    def node_of(self, name: str) -> str:
        """Return the name of the shard that holds a key, without asking anybody."""
        return self._map.slots[slot_of(name)].name

    def is_down(self, name: str) -> bool:
        """Say whether the node of a key did not serve a moment ago, without asking anybody."""
        return self._is_down(self._map.slots[slot_of(name)].address)

    def read(self, name: str, *command: bytes | str | int) -> t.Any:
        """Send a command on a key that may be sent twice."""
        return self._route(name, lambda wire: wire.read(*command), repeatable=True)

    def write(self, name: str, *command: bytes | str | int) -> t.Any:
        """Send a command on a key that may not be sent twice."""
        return self._route(name, lambda wire: wire.write(*command), repeatable=False)

    def run(self, script: Script, name: str, values: Command) -> t.Any:
        """Run a script that writes one key."""
        return self._route(
            name,
            lambda wire: wire.evaluate(wire.write, script, (name,), values),
            repeatable=False,
        )

    def look(self, script: Script, name: str) -> t.Any:
        """Run a script that reads one key."""
        return self._route(
            name, lambda wire: wire.evaluate(wire.read, script, (name,), ()), repeatable=True
        )

    def masters(self) -> list[Wire]:
        """Return the ways to all masters, as they are now."""
        self._learn()
        return [self._wire(address) for address in self._map.masters]

    def nodes_of(self, names: cabc.Iterable[str]) -> dict[Address, list[str]]:
        """Return these keys by their nodes, as far as is known."""
        groups: dict[Address, list[str]] = {}
        for name in names:
            groups.setdefault(self._map.slots[slot_of(name)].address, []).append(name)
        return groups

    def read_at(self, address: Address, commands: cabc.Sequence[Command]) -> list[t.Any]:
        """Send commands to one node; redirections and errors are among the answers."""
        return self._wire(address).read_all(commands)

    def close(self) -> None:
        for wire in tuple(self._wires.values()):
            wire.connections.close()

    def _route(self, name: str, send: cabc.Callable[[Wire], T], *, repeatable: bool) -> T:
        slot = slot_of(name)
        if self._map is self._unknown:
            self._learn()
        address = self._map.slots[slot].address
        wire = self._wire(address)
        for _ in range(_REDIRECTIONS):
            try:
                answer = send(wire)
            except StoreUnavailable as error:
                told = redirection(error.__cause__)
                if told is not None and told.asking:
                    # For this command only; the slot has not moved yet.
                    wire = self._wire(self._told(told, address)).asking()
                elif told is not None:
                    address = self._moved(slot, self._told(told, address))
                    wire = self._wire(address)
                elif error.unreachable or is_down(error.__cause__):
                    self._lost(address, error)
                    before, address = address, self._map.slots[slot].address
                    refused = not error.unreachable or isinstance(error, NotSent)
                    if address == before or not (repeatable or refused):
                        raise
                    wire = self._wire(address)
                else:
                    raise
            else:
                if self._down:
                    self._down.pop(address, None)
                return answer
        raise StoreUnavailable(f"{self.address}: the nodes send each other's keys round in circles")

    def _told(self, told: Redirection, asked: Address) -> Address:
        address = (told.host or asked[0], told.port)
        return address if self._source.remap is None else self._source.remap(address)

    def _moved(self, slot: int, address: Address) -> Address:
        """Note where a slot is now; a master that is new means that there is more to learn."""
        if not self._map.moved(slot, address):
            with contextlib.suppress(StoreUnavailable):  # for this slot it is known already
                self._learn()
            self._map.moved(slot, address)
        return address

    def _lost(self, address: Address, error: StoreUnavailable) -> None:
        """Look whether another node has taken the place of one that does not serve."""
        asked_lately = self._is_down(address)
        self._down[address] = time.monotonic()
        if not error.unreachable and asked_lately:
            return
        with contextlib.suppress(StoreUnavailable):  # the error that led here says more
            self._learn(instead_of=address)

    def _learn(self, instead_of: Address | None = None) -> None:
        """Ask the nodes for the map, those first that are likely to answer."""
        nodes = dict.fromkeys((*self._map.nodes, *self._source.startup))
        nodes.pop(instead_of, None)  # type: ignore[arg-type]
        trouble: StoreUnavailable | None = None
        for address in sorted(nodes, key=self._is_down)[:_ASKED]:
            try:
                answer = self._wire(address).read("CLUSTER", "SLOTS")
            except StoreUnavailable as error:
                trouble = trouble or error
                if error.unreachable:
                    self._down[address] = time.monotonic()
                continue
            ranges, told = parse_slots(answer, address, self._source.remap)
            if ranges:
                self._map = self._map.followed_by(ranges, told)
                self._forget_others(told)
                return
        raise trouble or StoreUnavailable(f"{self.address}: no node of the cluster serves any key")

    def _is_down(self, address: Address) -> bool:
        return time.monotonic() - self._down.get(address, -PAUSE) < PAUSE

    def _forget_others(self, nodes: list[Address]) -> None:
        kept = {*nodes, *self._source.startup, *self._map.masters}
        for address in [address for address in tuple(self._wires) if address not in kept]:
            wire = self._wires.pop(address, None)
            self._down.pop(address, None)
            if wire is not None:
                wire.connections.close()

    def _wire(self, address: Address) -> Wire:
        wire = self._wires.get(address)
        return wire or self._wires.setdefault(address, self._make(address))

    def _make(self, address: Address) -> Wire:
        return self._make_wire(self._connections(address))

    def _connections(self, address: Address) -> DirectConnections:
        host, port = address
        arguments = {**self._source.arguments, "host": host, "port": port}
        return make_direct(
            DirectConnections, self._source.connection_class, arguments, self._limits, self._check
        )


def cluster_source(source: object) -> ClusterSource:
    """Return where the cluster is that a URL or a client of redis-py speaks of."""
    if isinstance(source, str):
        return _of_url(source)
    if isinstance(source, redis.RedisCluster):
        return _of_client(source)
    if type(source).__module__.startswith("redis.asyncio"):
        raise ConfigurationError("RedisClusterStore needs a synchronous client, not one of asyncio")
    raise ConfigurationError(
        "RedisClusterStore needs a URL such as redis+cluster://host:port or a redis.RedisCluster, "
        f"not {type(source).__name__}; for one server there is RedisStore"
    )


def _of_url(url: str) -> ClusterSource:
    parts, hosts = split_hosts(url, "cluster", 6379)
    if parts.path.strip("/") not in ("", "0"):
        raise ConfigurationError("a Redis Cluster has the database 0 only")
    connection_class, arguments = parse_redis_url(parts.geturl())
    arguments.pop("db", None)
    return ClusterSource(connection_class, arguments, tuple(hosts))


def _of_client(client: t.Any) -> ClusterSource:
    manager = client.nodes_manager
    nodes = list(manager.nodes_cache.values())
    pool = nodes[0].redis_connection.connection_pool
    arguments = dict(pool.connection_kwargs)
    if pool.connection_class not in (redis.Connection, redis.SSLConnection):
        raise ConfigurationError(
            "RedisClusterStore makes connections of its own and cannot make a "
            f"{pool.connection_class.__name__}"
        )
    if not can_be_copied(arguments):
        raise ConfigurationError(
            "RedisClusterStore cannot follow credentials that are renewed on open connections"
        )
    for name in ("host", "port", "db", "redis_connect_func"):
        arguments.pop(name, None)
    return ClusterSource(
        pool.connection_class,
        arguments,
        tuple((node.host, node.port) for node in nodes),
        manager.address_remap,
    )
