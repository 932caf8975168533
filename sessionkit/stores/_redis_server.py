"""What a Redis server must be like to keep sessions; looked at once, with the first connection."""

from __future__ import annotations

import re
import typing as t
import warnings

import redis

from sessionkit.errors import ConfigurationError

from ._redis_connections import Connection
from ._redis_packing import packed

#: The first server with PXAT, PEXPIRETIME and scripts that may ask for the time before they write.
MINIMUM = 7

EVICTION = ("warn", "refuse", "ignore")

# One command each: before Redis 7 there is one section an answer.
_QUESTIONS = packed("INFO", "server") + packed("INFO", "memory")

# Who may not ask, or cannot, has no answer tomorrow either.
_NO_ANSWER = re.compile("(?i)no permission|unknown command|NOPERM")


class ServerCheck:
    """Looks at each server that a store connects to, once: two answers in one round trip.

    A server that cannot be asked now, since it is loading or busy, is looked at later.

    :param eviction: what to do where ``maxmemory-policy`` lets the server drop sessions: ``warn``
        (once), ``refuse`` or ``ignore``.
    :param clustered: whether the server must be a node of a cluster, or must be none.
    """

    def __init__(self, eviction: str, *, clustered: bool = False) -> None:
        if eviction not in EVICTION:
            raise ConfigurationError(f"eviction must be one of {', '.join(EVICTION)}")
        self._eviction = eviction
        self._clustered = clustered
        self._seen: set[str] = set()
        self._warned = False

    def __call__(self, connection: Connection, address: str) -> None:
        """Look at the server at *address*, unless that was done.

        :raises ConfigurationError: if it cannot keep sessions.
        """
        if address in self._seen:
            return
        connection.send_packed_command([_QUESTIONS])
        answers = [_answer(connection) for _ in range(2)]
        if any(isinstance(answer, redis.ResponseError) for answer in answers):
            self._is_silent(address, " ".join(map(str, answers)))
            return
        said = _fields(answers)
        self._check_kind(said)
        self._check_memory(said, address)
        self._seen.add(address)

    def _is_silent(self, address: str, said: str) -> None:
        if not _NO_ANSWER.search(said):
            return
        if self._eviction == "refuse":
            raise ConfigurationError(
                f"{address}: eviction='refuse' needs a user who may use the command INFO"
            )
        self._seen.add(address)

    def _check_kind(self, said: dict[str, str]) -> None:
        version = said.get("redis_version", "")
        major = version.partition(".")[0]
        if major.isdigit() and int(major) < MINIMUM:
            raise ConfigurationError(
                f"this Redis is version {version}; sessions need Redis 7.0, Valkey 7.2 or later"
            )
        mode = said.get("redis_mode", said.get("server_mode"))
        if mode == "sentinel":
            raise ConfigurationError(
                "this is a Sentinel and no Redis server: use redis+sentinel://host:port/service"
            )
        if mode == "cluster" and not self._clustered:
            raise ConfigurationError(
                "this is a node of a Redis Cluster: use redis+cluster://host:port, or "
                "RedisClusterStore with a client"
            )
        if mode == "standalone" and self._clustered:
            raise ConfigurationError("this server is no node of a Redis Cluster: use redis://")

    def _check_memory(self, said: dict[str, str], address: str) -> None:
        policy, limit = said.get("maxmemory_policy"), said.get("maxmemory", "0")
        # Without a limit nothing is ever evicted.
        if self._eviction == "ignore" or policy in (None, "noeviction") or limit == "0":
            return
        text = (
            f"{address}: maxmemory-policy is {policy!r}, so a full server (maxmemory {limit}) "
            "drops sessions, which logs users out, or the list of an owner's sessions alone: set "
            "it to 'noeviction', or pass eviction='ignore' to the store"
        )
        if self._eviction == "refuse":
            raise ConfigurationError(text)
        if not self._warned:
            self._warned = True
            self._seen.add(address)  # even where warnings are made errors
            warnings.warn(text, RuntimeWarning, stacklevel=2)


def _answer(connection: Connection) -> t.Any:
    try:
        return connection.read_response(disable_decoding=True)
    except redis.ResponseError as error:
        return error


def _fields(answers: list[t.Any]) -> dict[str, str]:
    text = b"\n".join(answer for answer in answers if isinstance(answer, bytes))
    pairs = re.findall(r"^(\w+):(.*?)\r?$", text.decode("utf-8", "replace"), re.MULTILINE)
    return dict(pairs)
