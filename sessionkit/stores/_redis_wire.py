"""Commands to one Redis server: what may be sent twice, what may not, and what failed."""

from __future__ import annotations

import collections.abc as cabc
import functools
import re
import secrets
import typing as t

import redis
import redis.exceptions

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable

from ._redis_connections import Connection
from ._redis_connections import Connections
from ._redis_packing import Command
from ._redis_packing import packed
from ._redis_scripts import Script
from ._settings import check_not_negative
from ._settings import check_positive

_PAGE = 1000

# Bytes beyond which a value is no argument of a script, and milliseconds for which it lives beside.
_LARGE = 8192
_BESIDE = 10_000


class NotSent(StoreUnavailable):
    """No connection could be made: the command may be sent somewhere else."""


class Wire:
    """The way to one server.

    :param connections: where connections are taken from.
    :param wait_replicas: how many replicas must confirm a write.
    :param wait_timeout: seconds that they have for it.
    """

    def __init__(
        self, connections: Connections, *, wait_replicas: int = 0, wait_timeout: float = 0.25
    ) -> None:
        self.connections = connections
        self._replicas = wait_replicas
        #: What goes before a command and after a write, and how many commands that is.
        self._before = self._after = b""
        self._skipped = self._waits = 0
        if wait_replicas:
            self._after = packed("WAIT", wait_replicas, max(1, round(wait_timeout * 1000)))
            self._waits = 1

    def asking(self) -> Wire:
        """Return the way to a server that is about to get the key from another one (ASK)."""
        wire = Wire(self.connections)
        wire._replicas = self._replicas
        wire._after, wire._waits = self._after, self._waits
        wire._before, wire._skipped = packed("ASKING"), 1
        return wire

    def read(self, *command: bytes | str | int) -> t.Any:
        """Send a command that may be sent twice."""
        answer = self._read(self._before + packed(*command), self._skipped + 1)[-1]
        if isinstance(answer, redis.ResponseError):
            raise translate(answer, self.connections.address) from answer
        return answer

    def read_all(self, commands: cabc.Sequence[Command]) -> list[t.Any]:
        """Send commands that may be sent twice; the errors are among the answers."""
        return self._read(b"".join(packed(*command) for command in commands), len(commands))

    def write(self, *command: bytes | str | int) -> t.Any:
        """Send a command that may not be sent twice.

        If it was carried out and the answer got lost, the second one would find its own change and
        report a conflict; the core would then merge, and count twice what is counted.
        """
        return self._write(self._before + packed(*command), self._skipped + 1, self._skipped)

    def write_beside(self, name: str, value: bytes, *command: bytes | str | int) -> t.Any:
        """Do the same, with a command that finds *value* under *name*, and may take it away.

        Not on the way to a server of a cluster that is about to get the key.
        """
        commands = (("SET", name, value, "PX", _BESIDE), command, ("UNLINK", name))
        return self._write(b"".join(packed(*one) for one in commands), 3, 1)

    def evaluate(
        self,
        send: cabc.Callable[..., t.Any],
        script: Script,
        names: tuple[str, ...],
        values: Command,
    ) -> t.Any:
        """Run a script by :meth:`read`, :meth:`write` or the like."""
        try:
            return send("EVALSHA", script.digest, len(names), *names, *values)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, redis.exceptions.NoScriptError):
                raise
        # A restart or SCRIPT FLUSH; nothing has been run. EVAL also makes it known again.
        return send("EVAL", script.text, len(names), *names, *values)

    def run(
        self, script: Script, names: tuple[str, ...], values: Command, value: bytes | None = None
    ) -> bool:
        """Run a script that writes, and says whether it did.

        :param value: the last of its values, which may be large.
        """
        send: cabc.Callable[..., t.Any] = self.write
        if value is not None and len(value) > _LARGE:
            beside = f"{names[0]}:{secrets.token_hex(8)}"
            send = functools.partial(self.write_beside, beside, value)
            names, value = (*names, beside), b""
        if value is not None:
            values = (*values, value)
        return bool(self.evaluate(send, script, names, values))

    def scan(self, pattern: str) -> cabc.Iterator[list[bytes]]:
        """Yield the names of keys, page by page; a name may come twice."""
        cursor: t.Any = b"0"
        while True:
            cursor, page = self.read("SCAN", cursor, "MATCH", pattern, "COUNT", _PAGE)
            yield page
            if cursor in (b"0", "0", 0):
                return

    def _read(self, data: bytes, count: int) -> list[t.Any]:
        connections = self.connections
        try:
            connection = connections.idle()
            if connection is not None:
                try:
                    return self._ask(connection, data, count)
                except redis.ConnectionError:
                    # The server was restarted, or closed it as idle; the others will be dead too.
                    connections.close()
            return self._ask(self._fresh(), data, count)
        except redis.RedisError as error:
            connections.failed(error)
            raise translate(error, connections.address) from error

    def _write(self, commands: bytes, count: int, place: int) -> t.Any:
        """Return the answer at *place*, or raise the first error up to there."""
        connections = self.connections
        data = commands + self._after
        expected = count + self._waits
        try:
            answers = self._ask(self._alive(), data, expected)
            answer = _outcome(answers, place)
            if isinstance(answer, redis.ResponseError) and connections.refused(answer):
                # It was not carried out, and there is a better server by now.
                answers = self._ask(self._fresh(), data, expected)
                answer = _outcome(answers, place)
        except redis.RedisError as error:
            connections.failed(error)
            raise translate(error, connections.address) from error
        if isinstance(answer, redis.ResponseError):
            raise translate(answer, connections.address) from answer
        if self._waits and answer:  # else nothing was written
            self._check_replicas(answers[-1])
        return answer

    def _alive(self) -> Connection:
        connections = self.connections
        while (connection := connections.idle()) is not None:
            if _is_alive(connection):
                return connection
            connections.drop(connection)
        return self._fresh()

    def _fresh(self) -> Connection:
        connections = self.connections
        try:
            return connections.fresh()
        except redis.RedisError as error:
            connections.failed(error)
            raise translate(error, connections.address, NotSent) from error

    def _ask(self, connection: Connection, data: bytes, count: int) -> list[t.Any]:
        """Send so many commands, and return their answers, errors among them."""
        answers: list[t.Any] = []
        try:
            connection.send_packed_command([data])
            for _ in range(count):
                try:
                    answers.append(connection.read_response(disable_decoding=True))
                except redis.ResponseError as error:
                    answers.append(error)  # the connection is as good as before
        except BaseException:
            self.connections.drop(connection)  # an answer may still be under way
            raise
        self.connections.give(connection)
        return answers

    def _check_replicas(self, answer: t.Any) -> None:
        if isinstance(answer, redis.ResponseError):
            raise translate(answer, self.connections.address) from answer
        confirmed: int = answer
        if confirmed < self._replicas:
            # The server is alive, and what can be read is to be read: no reason for a breaker.
            raise StoreUnavailable(
                f"{self.connections.address}: written, but confirmed by {confirmed} of "
                f"{self._replicas} replicas (wait_replicas) in time; a failover may undo it"
            )


def check_waiting(replicas: int, wait_timeout: float, timeout: float | None) -> None:
    """Refuse to wait for replicas for longer than for the answer."""
    check_not_negative(wait_replicas=replicas)
    check_positive(wait_timeout=wait_timeout)
    if replicas and timeout is not None and wait_timeout >= timeout:
        raise ConfigurationError(
            f"wait_timeout ({wait_timeout:g} seconds) must be shorter than timeout ({timeout:g})"
        )


class Redirection(t.NamedTuple):
    """Where a node of a cluster says that a key is, and whether it is only on its way there."""

    host: str
    port: int
    asking: bool


def redirection(error: BaseException | None) -> Redirection | None:
    """Return where to go after an error; by its text, since not every redis-py has a class."""
    kind = {"MovedError": "MOVED ", "AskError": "ASK "}.get(type(error).__name__, "")
    match = re.fullmatch(r"(MOVED|ASK) \d+ (.*):(\d+)", f"{kind}{error}")
    return match and Redirection(match[2].strip("[]"), int(match[3]), match[1] == "ASK")


def is_down(error: BaseException | None) -> bool:
    """Say whether a node does not serve a key because of the state of its cluster."""
    named = isinstance(error, redis.exceptions.ClusterDownError)
    return named or str(error).startswith(("CLUSTERDOWN", "MASTERDOWN"))


def translate(
    error: redis.RedisError, address: str, kind: type[StoreUnavailable] = StoreUnavailable
) -> StoreUnavailable:
    """Return what to raise from an error of redis-py."""
    text = str(error)
    alive = (
        redis.AuthenticationError,
        redis.exceptions.AuthorizationError,
        redis.BusyLoadingError,
    )
    unreachable = isinstance(error, (redis.ConnectionError, redis.TimeoutError)) and not isinstance(
        error, alive
    )
    # The server quotes the beginning of a command that it does not know; and whoever logs an error
    # logs its cause too.
    shown = re.sub(r"[0-9a-f]{64}", "...", text.partition(", with args")[0])
    if shown != text:
        error.args = (shown,)
    return kind(f"{address}: {shown[:300] or type(error).__name__}", unreachable=unreachable)


def _outcome(answers: list[t.Any], place: int) -> t.Any:
    for answer in answers[:place]:
        if isinstance(answer, redis.ResponseError):
            return answer
    return answers[place]


def _is_alive(connection: Connection) -> bool:
    """Whether the other end is still there, and has nothing to say that nobody asked for."""
    try:
        return not connection.can_read(timeout=0)
    except (redis.RedisError, OSError):
        return False
