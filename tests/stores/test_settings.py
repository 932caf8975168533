from __future__ import annotations

import math
import typing as t

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.stores.file import FileStore
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.postgres import PostgresStore
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.redis_cluster import RedisClusterStore
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.stores.sqlite import SQLiteStore

Make = t.Callable[..., object]

STORES: dict[Make, tuple[str, ...]] = {
    MemoryStore: (),
    SQLiteStore: ("sessions.sqlite3",),
    FileStore: ("folder",),
    RedisStore: ("redis://host",),
    RedisClusterStore: ("redis+cluster://host",),
    MemcachedStore: ("memcached://host",),
    PostgresStore: ("postgresql://host",),
    SQLAlchemyStore: ("sqlite:///sessions.sqlite3",),
}

NETWORKED = [store for store in STORES if "://" in "".join(STORES[store])]


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("margin", [-1, math.nan, math.inf])
def test_a_margin_that_is_none(store: Make, margin: float) -> None:
    with pytest.raises(ConfigurationError, match="margin must"):
        store(*STORES[store], margin=margin)


@pytest.mark.parametrize("store", NETWORKED)
@pytest.mark.parametrize("name", ["connect_timeout", "timeout"])
@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_nobody_waits_for_ever_or_not_at_all(store: Make, name: str, seconds: float) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        store(*STORES[store], **{name: seconds})


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret/x@host",
        "redis+sentinel://:secret?x@host/service",
        "memcached://ann:secret/x@host",
        "postgresql://ann:secret/x@host/database",
        "sqlalchemy+mysql+pymysql://ann:secret/x@host/database",
        "sqlalchemy+mysql+pymysql://ann:secret?x@host/database",
    ],
)
def test_a_password_is_nowhere_in_an_error(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in f"{error!s} {error!r}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("url", ["file:///fold%00er", "sqlite:///fi%00le"])
def test_a_path_that_no_system_can_have(url: str) -> None:
    with pytest.raises(ConfigurationError, match="path of a"):
        open_store(url)


def test_schemes_may_be_written_in_capitals() -> None:
    assert "sqlite" in repr(open_store("SQLALCHEMY+sqlite:///sessions.sqlite3"))
