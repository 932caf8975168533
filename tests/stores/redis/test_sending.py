"""How often a command is sent."""

from __future__ import annotations

import time
import typing as t

import pytest
import redis
import redis.asyncio

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import Proxy
from tests.servers import RedisServer
from tests.stores.redis.support import write


class TestNothingIsSentTwice:
    @pytest.fixture
    def proxy(self, redis_server: RedisServer) -> t.Iterator[Proxy]:
        with Proxy(redis_server.port) as proxy:
            yield proxy

    @pytest.mark.parametrize("owner", [None, "ann"])
    def test_a_write_whose_answer_is_lost(
        self, proxy: Proxy, store: RedisStore, owner: str | None
    ) -> None:
        through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        key, record = new_key(), new_record(owner=owner)
        assert through.swap(key, None, record)
        target, stub = new_key(), successor(record)
        # The server knows the scripts then.
        assert through.move(key, record, stub, target, record)
        assert through.swap(key, stub, successor(stub, owner=owner))
        assert through.delete(target, record)
        record = successor(stub, owner=owner)
        operations: list[t.Callable[[], object]] = [
            lambda: through.swap(new_key(), None, new_record(owner=owner)),
            lambda: through.swap(key, record, successor(record)),
            lambda: through.move(
                key, successor(record), successor(successor(record)), target, record
            ),
            lambda: through.delete(target, record),
        ]
        for operation in operations:
            assert through.get(new_key()) is None
            proxy.requests, proxy.lose_answers = 0, True
            with pytest.raises(StoreUnavailable) as caught:
                operation()
            assert caught.value.unreachable is True
            assert proxy.requests == 1
            proxy.lose_answers = False
        assert store.get(key) == successor(successor(record)), "it was carried out"
        assert store.get(target) is None

    def test_a_read_whose_answer_is_lost_is_sent_again_once(self, proxy: Proxy) -> None:
        through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        key = write(through)
        proxy.cut()
        made = proxy.connections
        assert through.get(key) is not None
        assert proxy.connections == made + 1
        proxy.lose_answers = True
        with pytest.raises(StoreUnavailable):
            through.get(key)
        assert proxy.connections == made + 2

    def test_a_write_on_a_connection_that_died_while_idle(self, proxy: Proxy) -> None:
        through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        for _ in range(3):
            write(through)
            proxy.cut()
            time.sleep(0.01)

    @pytest.mark.parametrize("decode", [False, True])
    def test_a_client_that_retries_does_not_retry_for_us(
        self, proxy: Proxy, store: RedisStore, decode: bool
    ) -> None:
        client = redis.Redis(
            port=proxy.port,
            decode_responses=decode,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 5),
            retry_on_error=[redis.ConnectionError],
            health_check_interval=1,
        )
        through = RedisStore(client)
        key, record = new_key(), new_record()
        assert through.swap(key, None, record)
        assert through.swap(key, record, successor(record))
        proxy.requests, proxy.lose_answers = 0, True
        with pytest.raises(StoreUnavailable):
            through.swap(key, successor(record), successor(successor(record)))
        assert proxy.requests == 1
        assert store.get(key) == successor(successor(record))
        client.close()

    def test_one_request_an_operation(self, proxy: Proxy) -> None:
        through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        for owner in (None, "ann"):
            for _ in range(2):  # the first time the server learns the scripts
                key, target, record = new_key(), new_key(), new_record(owner=owner)
                stub = successor(record, owner=None)
                counts = []
                operations: list[t.Callable[[], object]] = [
                    lambda: through.swap(key, None, record),  # noqa: B023
                    lambda: through.get(key),  # noqa: B023
                    lambda: through.move(key, record, stub, target, record),  # noqa: B023
                    lambda: through.swap(target, record, successor(record)),  # noqa: B023
                    lambda: through.delete(target, successor(record)),  # noqa: B023
                    lambda: through.owned_by("ann", 0.0) or True,
                ]
                for operation in operations:
                    proxy.requests = 0
                    assert operation()
                    counts.append(proxy.requests)
            assert counts == [1] * 6
