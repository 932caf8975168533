"""As ``raw``, but with the lowest public layer of the client, which sessionkit uses too."""

from __future__ import annotations

import collections.abc as cabc
import struct
import typing as t

from benchmarks.site import Places
from benchmarks.site import Site

from .raw import Postgres
from .raw import RawSite
from .raw import Redis

_OIDS = {"bytea": 17, "bigint": 20, "float8": 701}


class _Redis(Redis):
    """``redis.Connection``, without client and pool."""

    def _sender(self, url: str) -> cabc.Callable[..., t.Any]:
        import redis

        connection: t.Any = redis.ConnectionPool.from_url(url).make_connection()
        connection.connect()
        send, receive = connection.send_command, connection.read_response

        def command(*words: object) -> t.Any:
            send(*words)
            return receive(disable_decoding=True)

        return command


class _Postgres(Postgres):
    """libpq's ``exec_prepared``, without psycopg's cursor."""

    table = "raw_connection"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._libpq = self._connection.pgconn
        for name, (types, text) in self.statements.items():
            oids = [_OIDS[kind] for kind in types.split(", ")]
            self._libpq.prepare(name.encode(), text.format(table=self.table).encode(), oids)

    def run(self, name: str, *values: t.Any) -> t.Any:
        packed = [_packed(value) for value in values]
        return _Rows(self._libpq.exec_prepared(name.encode(), packed, [1] * len(packed), 1))


class _Rows:
    def __init__(self, result: t.Any) -> None:
        self._result = result

    def fetchone(self) -> object:
        return self._result.get_value(0, 0), self._result.get_value(0, 1)


def _packed(value: bytes | float) -> bytes:
    if isinstance(value, bytes):
        return value
    return struct.pack(">q" if isinstance(value, int) else ">d", value)


def build_raw(places: Places, store: str) -> Site:
    if store == "redis":
        return RawSite(_Redis(places.redis))
    return RawSite(_Postgres(places.postgres))
