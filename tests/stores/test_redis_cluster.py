from __future__ import annotations

import functools
import threading
import time
import typing as t

import pytest
import redis
import redis.asyncio

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Owned
from sessionkit.store import Partitioned
from sessionkit.store import Store
from sessionkit.stores import open_store
from sessionkit.stores import redis_cluster as module
from sessionkit.stores._redis_scripts import FORGET
from sessionkit.stores._redis_slots import SLOTS
from sessionkit.stores._redis_slots import SlotMap
from sessionkit.stores._redis_slots import slot_of
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.redis_cluster import RedisClusterStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import Proxy
from tests.servers import RedisCluster
from tests.servers import RedisServer
from tests.servers.redis_cluster import ClusterNode
from tests.stores.few_processes import FewProcesses

Start = t.Callable[..., t.Any]


@pytest.fixture
def cluster(redis_cluster: RedisCluster) -> RedisCluster:
    """Three masters, empty."""
    redis_cluster.flush()
    return redis_cluster


@pytest.fixture
def store(cluster: RedisCluster) -> RedisClusterStore:
    return RedisClusterStore(cluster.url)


class TestRedisClusterStore(FewProcesses):
    capabilities: t.ClassVar = frozenset({Owned, Enumerable, Partitioned, Closeable})
    rounds = 10

    @pytest.fixture
    def store(self, cluster: RedisCluster) -> Store:
        self.url = cluster.url
        return RedisClusterStore(cluster.url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(RedisClusterStore, self.url)

    def neighbour(self, store: Store) -> Store:
        return RedisClusterStore(self.url, prefix="sessionkit:2:")


def name_of(key: str) -> str:
    return f"sessionkit:{key}"


def key_at(cluster: RedisCluster, number: int) -> str:
    """Return a key whose record is on this master."""
    slots = cluster.masters[number].slots
    assert slots is not None
    while True:
        key = new_key()
        if slots[0] <= slot_of(name_of(key)) <= slots[1]:
            return key


def owner_at(cluster: RedisCluster, number: int, store: RedisClusterStore) -> str:
    """Return an owner whose index is on this master."""
    slots = cluster.masters[number].slots
    assert slots is not None
    numbers = range(1000)
    return next(
        f"owner {n}"
        for n in numbers
        if slots[0] <= slot_of(store._names.index(f"owner {n}")) <= slots[1]
    )


class MovingSlot:
    """A slot on its way from one master to another one, step by step."""

    def __init__(self, cluster: RedisCluster, slot: int) -> None:
        self.slot = slot
        self.nodes = cluster.masters
        self.source = next(n for n in self.nodes if n.slots and n.slots[0] <= slot <= n.slots[1])
        self.target = next(n for n in self.nodes if n is not self.source)

    def begin(self) -> None:
        tell(self.target, "CLUSTER SETSLOT", self.slot, "IMPORTING", self.source.id)
        tell(self.source, "CLUSTER SETSLOT", self.slot, "MIGRATING", self.target.id)

    def carry(self) -> None:
        while names := tell(self.source, "CLUSTER GETKEYSINSLOT", self.slot, 10):
            place = self.target.host, self.target.port
            tell(self.source, "MIGRATE", *place, "", 0, 5000, "KEYS", *names)

    def end(self) -> None:
        for node in (self.target, *self.nodes):
            tell(node, "CLUSTER SETSLOT", self.slot, "NODE", self.target.id)

    def back(self) -> None:
        self.source, self.target = self.target, self.source
        self.begin()
        self.carry()
        self.end()
        self.source, self.target = self.target, self.source


def tell(node: ClusterNode, command: str, *arguments: t.Any) -> t.Any:
    with node.client() as client:
        return client.execute_command(*command.split(), *arguments)


class TestSlots:
    def test_as_the_server_counts_them(self, cluster: RedisCluster) -> None:
        for name in ("a", "", "{a}b", "x{a}b", "{}a", "{a", "a}{b}{c}", "sessionkit:é"):
            assert slot_of(name) == tell(cluster.masters[0], "CLUSTER KEYSLOT", name)

    def test_a_replica_takes_over_the_name_with_the_slots(self) -> None:
        one, two, three, new = (("h", port) for port in (1, 2, 3, 4))
        known = SlotMap.unknown(("front", 9)).followed_by(
            [(0, 99, one), (100, 199, two), (200, SLOTS - 1, three)], []
        )
        names = ["front:9", "h:2", "h:3"]
        assert [known.slots[slot].name for slot in (0, 100, 200)] == names
        after = known.followed_by([(0, 99, one), (100, 199, new), (200, SLOTS - 1, three)], [])
        assert [after.slots[slot].name for slot in (0, 100, 200)] == names
        assert after.slots[100].address == new
        assert after.moved(0, new)
        assert after.slots[0].name == "h:2"
        assert not after.moved(0, ("elsewhere", 1))


class TestRedirections:
    def test_a_slot_that_moves_while_it_is_used(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        moving = MovingSlot(cluster, slot_of(name_of(key)))
        for step in (moving.begin, moving.carry, moving.end, moving.back):
            step()
            for _ in range(2):
                assert store.get(key) == record
                assert store.swap(key, record, successor(record))
                assert store.swap(key, record, successor(record)) is False
                record = successor(record)
                assert store.owned_by("ann", 0.0) == [key]
        assert store.delete(key, record)

    def test_a_key_that_is_made_while_its_slot_moves(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key, record = new_key(), new_record()
        moving = MovingSlot(cluster, slot_of(name_of(key)))
        assert store.get(key) is None
        moving.begin()
        assert store.swap(key, None, record)
        assert store.swap(key, None, record) is False
        assert store.get(key) == record
        assert list(store.keys()) == [key]
        assert store.count(time.time()) == 1
        moving.carry()
        moving.end()
        assert store.get(key) == record
        assert store.clear() == 1
        moving.back()

    def test_the_index_moves(self, cluster: RedisCluster, store: RedisClusterStore) -> None:
        moving = MovingSlot(cluster, slot_of(store._names.index("ann")))
        keys = set()
        for step in (moving.begin, moving.carry, moving.end, moving.back):
            step()
            key = new_key()
            keys.add(key)
            assert store.swap(key, None, new_record(owner="ann"))
            assert set(store.owned_by("ann", 0.0)) == keys

    def test_no_write_is_lost_or_counted_twice(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key, record = new_key(), new_record(b"0")
        assert store.swap(key, None, record)
        moving, done = MovingSlot(cluster, slot_of(name_of(key))), threading.Event()
        counted = [0, 0]

        def count(number: int) -> None:
            while not done.is_set():
                found = store.get(key)
                assert found is not None
                payload = b"%d" % (int(found.payload) + 1)
                counted[number] += store.swap(key, found, successor(found, payload))

        threads = [threading.Thread(target=count, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            for step in (moving.begin, moving.carry, moving.end, moving.back):
                step()
        done.set()
        for thread in threads:
            thread.join()
        last = store.get(key)
        assert last is not None
        assert int(last.payload) == sum(counted) > 0

    def test_nodes_that_disagree_for_ever(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key = key_at(cluster, 0)
        slot = slot_of(name_of(key))
        first, second, _ = cluster.masters
        assert store.get(key) is None
        tell(first, "CLUSTER SETSLOT", slot, "NODE", second.id)
        try:
            with pytest.raises(StoreUnavailable, match="circles") as caught:
                store.get(key)
            assert caught.value.unreachable is False
        finally:
            tell(first, "CLUSTER SETSLOT", slot, "NODE", first.id)
        assert store.get(key) is None


class TestIndex:
    def test_a_member_without_a_record_is_kept_for_ten_minutes(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        kept, young, old = new_key(), new_key(), new_key()
        assert store.swap(kept, None, new_record(owner="ann"))
        index = store._names.index("ann")
        node = store._cluster._wire(store._cluster._map.slots[slot_of(index)].address)
        now = time.time()
        node.write("ZADD", index, int(now - 9000), kept, int(now - 590), young, int(now - 610), old)
        assert set(store.owned_by("ann", now + 1e6)) == {kept, young}
        assert node.read("ZCARD", index) == 2

    def test_a_member_whose_record_has_no_owner_is_as_good_as_without(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        ended, young, kept = new_key(), new_key(), new_key()
        for key in (ended, young, kept):
            record = new_record(owner="ann")
            assert store.swap(key, None, record)
            if key != kept:
                assert store.swap(key, record, successor(record, owner=None))
        index = store._names.index("ann")
        node = store._cluster._wire(store._cluster._map.slots[slot_of(index)].address)
        old = int(time.time() - 610)
        node.write("ZADD", index, old, ended, old, kept)
        assert set(store.owned_by("ann", 0.0)) == {young, kept}
        assert node.read("ZCARD", index) == 2

    def test_one_that_was_entered_again_is_not_removed(self, store: RedisClusterStore) -> None:
        key = new_key()
        assert store.swap(key, None, new_record(owner="ann"))
        index = store._names.index("ann")
        store._cluster.run(FORGET, index, (key, b"1"))
        assert store.owned_by("ann", 0.0) == [key]

    def test_what_is_no_key_is_not_listed(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key = new_key()
        assert store.swap(key, None, new_record(owner="ann"))
        index = store._names.index("ann")
        with cluster.holder(slot_of(index)).client() as client:
            client.zadd(index, {b"\xff\xfe": 1, b"old": 1, b"new": time.time()})
        assert store.owned_by("ann", 0.0) == [key]

    def test_it_lives_as_long_as_the_longest_record(self, store: RedisClusterStore) -> None:
        now, index = time.time(), store._names.index("ann")
        key, record = new_key(), new_record(expires_at=now + 100, owner="ann")
        assert store.swap(key, None, record)
        for seconds in (50, 4000, 200, 4100, 40_000):
            record, before = successor(record, expires_at=now + seconds), record
            assert store.swap(key, before, record)
            until = store._cluster.read(index, "EXPIRETIME", index)
            assert until >= now + seconds + 600

    def test_a_write_that_prolongs_little_leaves_it_alone(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        hour = 3600.0
        began = (time.time() // hour + 5) * hour
        key, record = new_key(), new_record(expires_at=began + 100, owner="ann")
        assert store.swap(key, None, record)
        index = store._names.index("ann")
        store._cluster.write(index, "UNLINK", index)
        longer = successor(record, expires_at=began + 200)
        assert store.swap(key, record, longer)
        assert store.owned_by("ann", 0.0) == []
        assert store.swap(key, longer, successor(longer, expires_at=began + hour))
        assert store.owned_by("ann", 0.0) == [key]

    def test_a_writer_that_took_long_writes_the_member_again(
        self, store: RedisClusterStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        index, swap = store._names.index("ann"), store._swap

        def slow(*arguments: t.Any) -> bool:
            # Somebody has listed meanwhile.
            store._cluster.write(index, "UNLINK", index)
            monkeypatch.setattr(module, "_now", lambda: time.monotonic() + 1e6)
            return swap(*arguments)

        monkeypatch.setattr(module, "_now", time.monotonic)
        monkeypatch.setattr(store, "_swap", slow)
        key = new_key()
        assert store.swap(key, None, new_record(owner="ann"))
        assert store.owned_by("ann", 0.0) == [key]

    def test_what_ended_is_removed_by_what_begins(self, store: RedisClusterStore) -> None:
        index, old = store._names.index("ann"), int(time.time()) - 700
        store._cluster.write(
            index, "ZADD", index, *[x for _ in range(31) for x in (old, new_key())]
        )
        key = new_key()
        assert store.swap(key, None, new_record(owner="ann"))
        assert store._cluster.read(index, "ZCARD", index) == 1


@pytest.fixture(scope="module")
def own(start_server: Start) -> RedisCluster:
    """A cluster that a test may maltreat, and leaves as it was."""
    cluster: RedisCluster = start_server(RedisCluster)
    return cluster


class TestANodeInTrouble:
    def test_only_its_own_keys_are_unavailable(self, own: RedisCluster) -> None:
        store = RedisClusterStore(own.url, timeout=0.2, connect_timeout=0.2)
        keys = [key_at(own, number) for number in range(3)]
        records = [new_record() for _ in keys]
        for key, record in zip(keys, records, strict=True):
            assert store.swap(key, None, record)
        names = [store.node_of(key) for key in keys]
        assert len(set(names)) == 3
        for end, again in (("kill", "start"), ("pause", "resume")):
            getattr(own.masters[0], end)()
            for operation in (
                lambda: store.get(keys[0]),
                lambda: store.swap(keys[0], None, records[0]),
                lambda: store.delete(keys[0], records[0]),
                lambda: store.count(0.0),
                lambda: list(store.keys()),
            ):
                started = time.monotonic()
                with pytest.raises(StoreUnavailable) as caught:
                    operation()
                assert caught.value.unreachable is True
                assert time.monotonic() - started < 1.0
            for key, record in zip(keys[1:], records[1:], strict=True):
                assert store.get(key) == record
            assert [store.node_of(key) for key in keys] == names
            getattr(own.masters[0], again)()
            own.wait()
            store.swap(keys[0], None, records[0])  # it had no disk
            assert store.get(keys[0]) == records[0]

    def test_the_node_of_an_index_is_not_taken_for_that_of_the_record(
        self, own: RedisCluster
    ) -> None:
        store = RedisClusterStore(own.url, timeout=0.2, connect_timeout=0.2)
        owner, key, same = owner_at(own, 0, store), key_at(own, 1), key_at(own, 0)
        record = new_record(owner=owner)
        assert store.swap(key, None, record)
        own.masters[0].pause()
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="index") as caught:
                store.swap(key_at(own, 1), None, new_record(owner=owner))
            assert caught.value.unreachable is False
            with pytest.raises(StoreUnavailable) as caught:
                store.swap(same, None, new_record(owner=owner))
            assert caught.value.unreachable is True
        started = time.monotonic()
        for _ in range(20):
            with pytest.raises(StoreUnavailable):
                store.swap(key_at(own, 1), None, new_record(owner=owner))
        assert time.monotonic() - started < 0.4, "a node that hangs costs one time-out a second"
        assert store.get(key) == record
        assert store.swap(key, record, successor(record, owner=owner)), "the index knows it already"
        own.masters[0].resume()
        time.sleep(1.0)
        assert store.swap(new_key(), None, new_record(owner=owner))

    @pytest.mark.attack
    def test_a_cluster_that_serves_all_or_nothing(self) -> None:
        with RedisCluster(cluster_require_full_coverage="yes", cluster_node_timeout="200") as own:
            store = RedisClusterStore(own.url)
            key = key_at(own, 1)
            assert store.get(key) is None
            own.masters[0].kill()
            give_up = time.monotonic() + 10
            with pytest.raises(StoreUnavailable, match=r"(?i)cluster is down") as caught:
                get_until(store, key, give_up)
            assert caught.value.unreachable is False
            own.masters[0].start()
            own.wait()
            assert store.get(key) is None

    def test_nobody_is_there(self) -> None:
        store = RedisClusterStore("redis+cluster://127.0.0.1:1,127.0.0.1:2")
        for operation in (
            lambda: store.get(new_key()),
            lambda: store.swap(new_key(), None, new_record(owner="ann")),
            lambda: store.owned_by("ann", 0.0),
            store.clear,
        ):
            with pytest.raises(StoreUnavailable, match=r"refused|does not serve") as caught:
                operation()
            assert caught.value.unreachable is True
        assert store.node_of(new_key()) == "127.0.0.1:1"


def get_until(store: Store, key: str, give_up: float) -> None:
    while time.monotonic() < give_up:
        store.get(key)


class TestNothingIsSentTwice:
    def test_a_write_whose_answer_is_lost(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        with Proxy(cluster.masters[0].port) as proxy:
            client = through(cluster, proxy)
            apart = RedisClusterStore(client)
            key, record = key_at(cluster, 0), new_record(b"0")
            assert apart.swap(key, None, record)
            assert apart.swap(key, record, successor(record))
            record = successor(record)
            proxy.requests, proxy.lose_answers = 0, True
            with pytest.raises(StoreUnavailable) as caught:
                apart.swap(key, record, successor(record))
            assert caught.value.unreachable is True
            assert proxy.requests == 1
            proxy.lose_answers = False
            assert store.get(key) == successor(record), "it was carried out"
            client.close()


def through(cluster: RedisCluster, proxy: Proxy) -> redis.RedisCluster:
    """Return a client that reaches the first master through the proxy."""
    first = cluster.masters[0]

    def remap(address: tuple[str, int]) -> tuple[str, int]:
        return ("127.0.0.1", proxy.port) if address == (first.host, first.port) else address

    return redis.RedisCluster(host=first.host, port=cluster.masters[1].port, address_remap=remap)


class TestSources:
    def test_clients(self, cluster: RedisCluster) -> None:
        port = cluster.masters[0].port
        for client in (
            redis.RedisCluster(host="127.0.0.1", port=port),
            redis.RedisCluster(host="127.0.0.1", port=port, decode_responses=True, protocol=3),
            redis.RedisCluster.from_url(f"redis://127.0.0.1:{port}", socket_timeout=3),
        ):
            store = RedisClusterStore(client)
            key, record = new_key(), new_record(owner="ann")
            assert store.swap(key, None, record)
            assert store.get(key) == record
            assert store.delete(key, record)
            store.close()
            assert client.ping(), "a client that was lent can still be used"
            client.close()

    def test_the_wrong_class_says_which_is_right(
        self, cluster: RedisCluster, redis_server: RedisServer
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"redis\+cluster://"):
            RedisStore(f"redis://127.0.0.1:{cluster.masters[0].port}").get(new_key())
        with pytest.raises(ConfigurationError, match="no node of a Redis Cluster"):
            RedisClusterStore(f"redis+cluster://127.0.0.1:{redis_server.port}").get(new_key())
        with pytest.raises(ConfigurationError, match="RedisStore"):
            RedisClusterStore(redis.Redis())
        with pytest.raises(ConfigurationError, match="synchronous"):
            RedisClusterStore(redis.asyncio.RedisCluster("127.0.0.1", 1))

    def test_a_url(self) -> None:
        store = open_store(
            "redis+cluster://user:secret@one:1,two,[::1]:3/0?prefix=shop:&timeout=3&protocol=3"
        )
        assert isinstance(store, RedisClusterStore)
        shown = "redis+cluster://one:1,two:6379,[::1]:3"
        assert repr(store) == f"<RedisClusterStore {shown} prefix='shop:'>"
        assert store._cluster.timeout == 3

    @pytest.mark.parametrize(
        "url",
        [
            "redis+cluster://:secret@host/1",
            "redis+cluster://:secret@host,",
            "redis+cluster://:secret@host:secret",
            "redis+cluster://:sec/ret@host",
            "redis+cluster://:secret@host?unknown=secret",
            "redis+cluster://:secret@host?wait_replicas=secret",
            "redis+cluster://:secret#@host",
            "redis+cluster://:secret@",
            "rediss+cluster://:secret@host?eviction=secret",
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            open_store(url)
        told = f"{caught.value!r} {caught.value.__cause__!r}"
        assert ":secret@" not in told
        assert "sec/" not in told
        assert "ret@" not in told

    def test_passwords_and_users(self) -> None:
        with RedisCluster(requirepass="hunter2", masterauth="hunter2") as cluster:
            for node in cluster.masters:
                tell(node, "ACL SETUSER shop on >pw ~shop:* +@all")
            hosts = cluster.url.partition("//")[2]
            store = RedisClusterStore(f"redis+cluster://shop:pw@{hosts}", prefix="shop:")
            key = new_key()
            assert store.swap(key, None, new_record(owner="ann"))
            assert store.owned_by("ann", 0.0) == [key]
            wrong = RedisClusterStore(f"redis+cluster://shop:hunter3@{hosts}", prefix="shop:")
            with pytest.raises(StoreUnavailable) as caught:
                wrong.get(key)
            assert caught.value.unreachable is False
            assert "hunter" not in f"{caught.value!r} {wrong!r}"
            with pytest.raises(StoreUnavailable, match=r"(?i)permission"):
                RedisClusterStore(f"redis+cluster://shop:pw@{hosts}").get(key)


@pytest.mark.attack
class TestReplicas:
    def test_a_replica_takes_over(self) -> None:
        with RedisCluster(replicas=1, cluster_node_timeout="500") as cluster:
            store = RedisClusterStore(cluster.url, wait_replicas=1, wait_timeout=0.9)
            key, record = key_at(cluster, 0), new_record(owner="ann")
            assert store.swap(key, None, record)
            name = store.node_of(key)
            cluster.masters[0].kill()
            give_up = time.monotonic() + 15
            while True:
                try:
                    assert store.get(key) == record, "it was confirmed by the replica"
                    break
                except StoreUnavailable:
                    assert time.monotonic() < give_up
                    time.sleep(0.05)
            with pytest.raises(StoreUnavailable, match="confirmed by 0 of 1"):
                store.swap(key, record, successor(record, owner=None))
            assert store.get(key) == successor(record, owner=None), "the master has it"
            assert store.node_of(key) == name, "who heard of the trouble hears of its end"
