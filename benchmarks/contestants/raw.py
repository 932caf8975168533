"""The same commands to the store as sessionkit sends, with its ordinary client and nothing around.

Ready bytes are written, and what is read is thrown away.
"""

from __future__ import annotations

import collections.abc as cabc
import fcntl
import hmac
import itertools
import os
import secrets
import sqlite3
import time
import typing as t

import ormsgpack

from benchmarks.scenarios import content
from benchmarks.scenarios import history
from benchmarks.site import Environ
from benchmarks.site import Places
from benchmarks.site import Site
from sessionkit.stores import _redis_scripts as scripts

SMALL: bytes = ormsgpack.packb(content())
LARGE: bytes = ormsgpack.packb({**content(), "history": history(99)})
STUB: bytes = SMALL[:80]
NEVER = int(time.time() + 10**7)

_versions = itertools.count(1)

Operation = cabc.Callable[[str], object]


class Raw(t.Protocol):
    """What is done to a store in the scenarios; a refresh is a write."""

    def seed(self, key: str, payload: bytes) -> None: ...
    def read(self, key: str) -> object: ...
    def write(self, key: str) -> object: ...
    def write_large(self, key: str) -> object: ...
    def create(self, key: str) -> object: ...
    def login(self, key: str) -> object: ...
    def logout(self, key: str) -> object: ...


class RawSite(Site):
    """Looks like an application, and has keys in the place of cookies."""

    def __init__(self, raw: Raw) -> None:
        operations: dict[str, Operation] = {
            "/untouched": lambda key: None,
            "/read": raw.read,
            "/read large": raw.read,
            "/read due": raw.write,
            "/write": raw.write,
            "/write large": raw.write_large,
            "/nested": raw.write,
            "/create": raw.create,
            "/login": raw.login,
            "/logout": raw.logout,
        }

        def app(environ: Environ, start_response: object) -> tuple[()]:
            cookie = environ["benchmark.cookie"]
            operations[environ["PATH_INFO"] + cookie[64:]](cookie[:64])
            return ()

        super().__init__(app)
        self._raw = raw

    def newcomer(self) -> str:
        return secrets.token_hex(32)

    def browser(self, kind: str) -> str:
        key = secrets.token_hex(32)
        self._raw.seed(key, LARGE if kind == "large" else SMALL)
        return key if kind == "small" else f"{key} {kind}"


class Memory:
    def __init__(self) -> None:
        self._records: dict[str, bytes] = {}

    def seed(self, key: str, payload: bytes) -> None:
        self._records[key] = payload

    def read(self, key: str) -> object:
        return self._records.get(key)

    def write(self, key: str) -> object:
        self._records.get(key)
        self._records[key] = SMALL
        return None

    def write_large(self, key: str) -> object:
        self._records.get(key)
        self._records[key] = LARGE
        return None

    def create(self, key: str) -> object:
        self._records[key] = SMALL
        return None

    def login(self, key: str) -> object:
        self._records.get(key)
        self._records[key] = STUB
        self._records[key[::-1]] = SMALL
        return None

    def logout(self, key: str) -> object:
        return self._records.pop(key)


class SQLite:
    """In WAL mode, with ``synchronous=NORMAL``; random keys."""

    def __init__(self, path: str) -> None:
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(
            "CREATE TABLE s (key TEXT NOT NULL PRIMARY KEY, payload BLOB, version INT, expiry REAL)"
        )
        self._execute = database.execute

    def seed(self, key: str, payload: bytes) -> None:
        self._execute("INSERT INTO s VALUES (?, ?, 1, ?)", (key, payload, NEVER))

    def read(self, key: str) -> object:
        query = "SELECT payload, version, expiry FROM s WHERE key = ?"
        return self._execute(query, (key,)).fetchone()

    def _replace(self, key: str, payload: bytes) -> object:
        version: t.Any = self.read(key)
        change = "UPDATE s SET payload=?, version=?, expiry=? WHERE key=? AND version=?"
        return self._execute(change, (payload, next(_versions), NEVER, key, version[1]))

    def write(self, key: str) -> object:
        return self._replace(key, SMALL)

    def write_large(self, key: str) -> object:
        return self._replace(key, LARGE)

    def create(self, key: str) -> object:
        insert = "INSERT INTO s VALUES (?, ?, 1, ?) ON CONFLICT (key) DO NOTHING"
        return self._execute(insert, (key, SMALL, NEVER))

    def login(self, key: str) -> object:
        version: t.Any = self.read(key)
        self._execute("BEGIN IMMEDIATE")
        change = "UPDATE s SET payload=?, version=?, expiry=? WHERE key=? AND version=?"
        self._execute(change, (STUB, next(_versions), NEVER, key, version[1]))
        self.create(key[::-1])
        return self._execute("COMMIT")

    def logout(self, key: str) -> object:
        version: t.Any = self.read(key)
        return self._execute("DELETE FROM s WHERE key = ? AND version = ?", (key, version[1]))


class File:
    """Opened, read and closed; written in place under a lock."""

    def __init__(self, folder: str) -> None:
        os.mkdir(folder)  # noqa: PTH102 - pathlib would be what is measured
        self._folder = folder
        self._lock = os.open(folder, os.O_RDONLY)

    def seed(self, key: str, payload: bytes) -> None:
        self._put(f"{self._folder}/{key}", payload, os.O_CREAT | os.O_EXCL)

    def _put(self, path: str, payload: bytes, flags: int) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        descriptor = os.open(path, os.O_RDWR | flags, 0o600)
        if not flags:
            os.read(descriptor, 4096)
        os.pwrite(descriptor, payload, 0)
        os.close(descriptor)
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def read(self, key: str) -> object:
        descriptor = os.open(f"{self._folder}/{key}", os.O_RDONLY)
        data = os.read(descriptor, 4096)
        if len(data) == 4096:
            data += os.read(descriptor, 10**6)
        os.close(descriptor)
        return data

    def _replace(self, key: str, payload: bytes) -> object:
        self.read(key)
        self._put(f"{self._folder}/{key}", payload, 0)
        return None

    def write(self, key: str) -> object:
        return self._replace(key, SMALL)

    def write_large(self, key: str) -> object:
        return self._replace(key, LARGE)

    def create(self, key: str) -> object:
        self.seed(key, SMALL)
        return None

    def login(self, key: str) -> object:
        self._replace(key, STUB)
        self.create(key[::-1])
        return None

    def logout(self, key: str) -> object:
        self.read(key)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.unlink(f"{self._folder}/{key}")  # noqa: PTH108
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        return None


class Redis:
    """Through ``redis.Redis``, with its pool."""

    def __init__(self, url: str) -> None:
        self._send = self._sender(url)
        for script in (scripts.REPLACE, scripts.MOVE, scripts.DELETE):
            self._send("SCRIPT", "LOAD", script.text)

    def _sender(self, url: str) -> cabc.Callable[..., t.Any]:
        import redis

        return redis.Redis.from_url(url).execute_command

    def seed(self, key: str, payload: bytes) -> None:
        self._send("SET", key, b"%08d" % 1 + payload, "NX", "PXAT", NEVER * 1000)

    def read(self, key: str) -> t.Any:
        return self._send("GET", key)

    def _replace(self, key: str, payload: bytes) -> object:
        version = self.read(key)[:8]
        value = b"%08d" % next(_versions) + payload
        digest = scripts.REPLACE.digest
        return self._send("EVALSHA", digest, 1, key, version, NEVER * 1000, value)

    def write(self, key: str) -> object:
        return self._replace(key, SMALL)

    def write_large(self, key: str) -> object:
        return self._replace(key, LARGE)

    def create(self, key: str) -> object:
        self.seed(key, SMALL)
        return None

    def login(self, key: str) -> object:
        version = self.read(key)[:8]
        new, deadline = key[::-1], NEVER * 1000
        values = (version, STUB, deadline, key, deadline, new, version + SMALL)
        return self._send("EVALSHA", scripts.MOVE.digest, 5, key, key, key, new, new, *values)

    def logout(self, key: str) -> object:
        version = self.read(key)[:8]
        return self._send("EVALSHA", scripts.DELETE.digest, 1, key, version, key)


class Memcached:
    """Through ``pymemcache.Client``."""

    def __init__(self, port: int) -> None:
        import pymemcache

        self._client: t.Any = pymemcache.Client(
            ("127.0.0.1", port), no_delay=True, default_noreply=False
        )

    def seed(self, key: str, payload: bytes) -> None:
        self._client.add(key, payload, 0)

    def read(self, key: str) -> object:
        return self._client.gets(key)

    def _replace(self, key: str, payload: bytes) -> object:
        _, cas = self._client.gets(key)
        return self._client.cas(key, payload, cas, 0)

    def write(self, key: str) -> object:
        return self._replace(key, SMALL)

    def write_large(self, key: str) -> object:
        return self._replace(key, LARGE)

    def create(self, key: str) -> object:
        return self._client.add(key, SMALL, 0)

    def login(self, key: str) -> object:
        _, cas = self._client.gets(key)
        self._client.add(key[::-1], SMALL, 0)
        return self._client.cas(key, STUB, cas, 0)

    def logout(self, key: str) -> object:
        _, cas = self._client.gets(key)
        return self._client.raw_command(f"md {key} C{cas.decode()}")


class Postgres:
    """Through ``psycopg.Connection.execute``: prepared, binary, each statement a transaction."""

    table = "raw_client"
    statements: t.ClassVar[dict[str, tuple[str, str]]] = {
        "read": ("bytea", "SELECT payload, version FROM {table} WHERE key = $1"),
        "seed": (
            "bytea, bytea, bigint, float8",
            "INSERT INTO {table} VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING",
        ),
        "replace": (
            "bytea, bytea, bigint, float8",
            (
                "UPDATE {table} SET payload = $2, version = version + 1, expiry = $4 "
                "WHERE key = $1 AND version >= $3"
            ),
        ),
        "move": (
            "bytea, bytea, bigint, float8, bytea, bytea",
            (
                "WITH ended AS (UPDATE {table} SET payload = $2, version = version + 1, "
                "expiry = $4 WHERE key = $1 AND version >= $3 RETURNING 1) "
                "INSERT INTO {table} SELECT $5, $6, $3, $4 FROM ended"
            ),
        ),
        "end": ("bytea, bigint", "DELETE FROM {table} WHERE key = $1 AND version >= $2"),
    }

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(f"{url}?sslmode=disable", autocommit=True)
        self._connection.prepare_threshold = 0
        self._texts = {
            name: text.format(table=self.table).encode()
            for name, (_, text) in self.statements.items()
        }
        self._cursor = psycopg.RawCursor(self._connection)
        self._cursor.format = psycopg.pq.Format.BINARY
        self._connection.execute(
            f"CREATE TABLE {self.table} (key bytea PRIMARY KEY, payload bytea, "
            "version bigint, expiry float8)"
        )

    def run(self, name: str, *values: t.Any) -> t.Any:
        return self._cursor.execute(self._texts[name], values)

    def seed(self, key: str, payload: bytes) -> None:
        self.run("seed", bytes.fromhex(key), payload, 1, float(NEVER))

    def read(self, key: str) -> object:
        return self.run("read", bytes.fromhex(key)).fetchone()

    def _replace(self, key: str, payload: bytes) -> object:
        self.read(key)
        return self.run("replace", bytes.fromhex(key), payload, 1, float(NEVER))

    def write(self, key: str) -> object:
        return self._replace(key, SMALL)

    def write_large(self, key: str) -> object:
        return self._replace(key, LARGE)

    def create(self, key: str) -> object:
        self.seed(key, SMALL)
        return None

    def login(self, key: str) -> object:
        self.read(key)
        new = bytes.fromhex(key[::-1])
        return self.run("move", bytes.fromhex(key), STUB, 1, float(NEVER), new, SMALL)

    def logout(self, key: str) -> object:
        self.read(key)
        return self.run("end", bytes.fromhex(key), 1)


class Cookie:
    """HMAC-SHA256 and one call of the codec's library; base64 is left out."""

    _secret = secrets.token_bytes(32)
    _signed = SMALL + hmac.digest(_secret, SMALL, "sha256")

    def seed(self, key: str, payload: bytes) -> None:
        pass

    def read(self, key: str) -> object:
        payload, mac = self._signed[:-32], self._signed[-32:]
        if not hmac.compare_digest(hmac.digest(self._secret, payload, "sha256"), mac):
            raise ValueError
        return ormsgpack.unpackb(payload)

    def _make(self, values: t.Any) -> object:
        payload = ormsgpack.packb(values)
        return payload + hmac.digest(self._secret, payload, "sha256")

    def write(self, key: str) -> object:
        return self._make(self.read(key))

    write_large = login = write

    def create(self, key: str) -> object:
        return self._make(content())

    def logout(self, key: str) -> object:
        return self.read(key)


def build_raw(places: Places, store: str) -> Site:
    makes: dict[str, cabc.Callable[[], Raw]] = {
        "memory": Memory,
        "sqlite": lambda: SQLite(f"{places.folder}/raw.sqlite3"),
        "file": lambda: File(f"{places.folder}/raw"),
        "redis": lambda: Redis(places.redis),
        "memcached": lambda: Memcached(places.port("memcached")),
        "postgres": lambda: Postgres(places.postgres),
        "cookie": Cookie,
    }
    return RawSite(makes[store]())
