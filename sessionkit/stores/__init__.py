"""The stores, one file each; importing one imports only its own client."""

from __future__ import annotations

import importlib
import re
import typing as t

from sessionkit.errors import ConfigurationError

if t.TYPE_CHECKING:
    from sessionkit.store import Store

__all__ = ["open_store"]


class _Home(t.NamedTuple):
    module: str
    name: str
    example: str
    extra: str | None = None


_REDIS = _Home("redis", "RedisStore", "", "redis")

_REDIS_CLUSTER = _Home("redis_cluster", "RedisClusterStore", "", "redis")

_POSTGRES = _Home("postgres", "PostgresStore", "postgresql://host/database", "postgres")

_HOMES = {
    "memory": _Home("memory", "MemoryStore", "memory:"),
    "sqlite": _Home("sqlite", "SQLiteStore", "sqlite:///sessions.sqlite3"),
    "redis": _REDIS._replace(example="redis://host:6379/0"),
    "rediss": _REDIS._replace(example="rediss://host:6379/0"),
    "unix": _REDIS._replace(example="unix:///run/redis.sock?db=0"),
    "redis+sentinel": _REDIS._replace(example="redis+sentinel://host:26379/service"),
    "rediss+sentinel": _REDIS._replace(example="rediss+sentinel://host:26379/service"),
    "redis+cluster": _REDIS_CLUSTER._replace(example="redis+cluster://host:6379"),
    "rediss+cluster": _REDIS_CLUSTER._replace(example="rediss+cluster://host:6379"),
    "memcached": _Home("memcached", "MemcachedStore", "memcached://host:11211", "memcached"),
    "postgresql": _POSTGRES,
    "postgres": _POSTGRES,
    "file": _Home("file", "FileStore", "file:///folder"),
    "sqlalchemy": _Home(
        "sqlalchemy", "SQLAlchemyStore", "sqlalchemy+mysql+pymysql://host/database", "sqlalchemy"
    ),
}


class _FromURL(t.Protocol):
    @classmethod
    def from_url(cls, url: str) -> Store: ...


def _home(scheme: str) -> _Home | None:
    # Behind sqlalchemy+ stands the scheme of any of SQLAlchemy's dialects.
    return _HOMES.get("sqlalchemy" if scheme.startswith("sqlalchemy+") else scheme)


def open_store(url: str) -> Store:
    """Return the store that *url* describes. Nothing is connected to before it is first used.

    ``memory:``, ``sqlite:///relative/path``, ``sqlite:////absolute/path``, ``redis://host:port/db``,
    ``rediss://`` (TLS) and ``unix:///path/to/redis.sock``; Valkey speaks the same as Redis.
    The query holds parameters of the store's class, such as ``?margin=60``.

    :raises ConfigurationError: for an unknown scheme or parameter, or a client library that is not
        installed. The text never contains the URL, since it may hold a password.
    """
    scheme, colon, _ = url.partition(":")
    home = _home(scheme.lower()) if colon else None
    if home is None:
        examples = ", ".join(dict.fromkeys(home.example for home in _HOMES.values()))
        # What has no scheme may be a password in the wrong place.
        shown = f"scheme {scheme!r}" if colon and re.fullmatch(r"[\w.+-]+", scheme) else "form"
        raise ConfigurationError(f"a store URL of unknown {shown}; known are {examples}")
    try:
        module = importlib.import_module(f"{__name__}.{home.module}")
    except ImportError as error:
        if home.extra is None:
            raise
        raise ConfigurationError(
            f"{scheme.lower()}: needs a client library that is missing ({error}): "
            f'pip install "wsgi-sessionkit[{home.extra}]"'
        ) from error
    store: type[_FromURL] = getattr(module, home.name)
    return store.from_url(url)
