"""Which node of a Redis Cluster holds which key, as far as is known."""

from __future__ import annotations

import binascii
import collections.abc as cabc
import typing as t

SLOTS = 16384

Address = tuple[str, int]

#: Changes an address that nodes tell into one that works from here.
Remap = cabc.Callable[[Address], Address]


def slot_of(name: str) -> int:
    """Return the slot of a key; of what is between braces, if there are any."""
    start = name.find("{")
    if start >= 0:
        end = name.find("}", start + 1)
        if end > start + 1:
            name = name[start + 1 : end]
    return binascii.crc_hqx(name.encode(), 0) % SLOTS


class Shard(t.NamedTuple):
    """A part of the keys.

    :ivar name: stays the same when a replica takes the master's place, so that whoever has heard
        of the trouble hears of its end.
    :ivar address: its master's.
    """

    name: str
    address: Address


class SlotMap:
    """All slots with their shards, as one node has told it.

    :ivar slots: may be changed where a redirection says better.
    :ivar nodes: every node there is, masters first.
    """

    def __init__(self, slots: list[Shard], nodes: list[Address]) -> None:
        self.slots = slots
        self.nodes = nodes

    @classmethod
    def unknown(cls, address: Address) -> SlotMap:
        """Return what is known before anybody was asked."""
        return cls([Shard(name_of(address), address)] * SLOTS, [address])

    @property
    def masters(self) -> list[Address]:
        return list(dict.fromkeys(shard.address for shard in self.slots))

    def moved(self, slot: int, address: Address) -> bool:
        """Take note that a slot has moved; False if this is no master that we know."""
        shard = next((shard for shard in set(self.slots) if shard.address == address), None)
        if shard is None:
            return False
        self.slots[slot] = shard
        return True

    def followed_by(self, ranges: list[tuple[int, int, Address]], nodes: list[Address]) -> SlotMap:
        """Return the map with these masters, whose shards keep their names.

        A master that is gone leaves its name to the one that has its lowest slot now. A slot that
        nobody serves stays where it was: that node says what is the matter.
        """
        addresses: list[Address | None] = [None] * SLOTS
        for first, last, address in ranges:
            addresses[first : last + 1] = [address] * (last + 1 - first)
        names: dict[Address, str] = {}
        masters = {address for address in addresses if address is not None}
        for shard, heir in zip(self.slots, addresses, strict=True):
            if shard.address in masters:
                names[shard.address] = shard.name
            elif heir is not None and shard.name not in names.values():
                names.setdefault(heir, shard.name)
        for master in masters:
            names.setdefault(master, name_of(master))
        shards = {address: Shard(names[address], address) for address in masters}
        slots = [
            before if address is None else shards[address]
            for before, address in zip(self.slots, addresses, strict=True)
        ]
        return SlotMap(slots, nodes)


def name_of(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_slots(
    answer: t.Any, asked: Address, remap: Remap | None
) -> tuple[list[tuple[int, int, Address]], list[Address]]:
    """Return the ranges of slots with their masters, and all nodes, from ``CLUSTER SLOTS``."""
    ranges: list[tuple[int, int, Address]] = []
    masters: dict[Address, None] = {}
    replicas: dict[Address, None] = {}
    for first, last, *nodes in answer:
        addresses = [_address(node, asked, remap) for node in nodes]
        ranges.append((first, last, addresses[0]))
        masters[addresses[0]] = None
        replicas.update(dict.fromkeys(addresses[1:]))
    return ranges, list(masters | replicas)


def _address(node: t.Any, asked: Address, remap: Remap | None) -> Address:
    # A node that does not know its own name, or hides it, is where the answer came from.
    host = (node[0] or b"?").decode()
    address = (asked[0] if host == "?" else host, int(node[1]))
    return address if remap is None else remap(address)
