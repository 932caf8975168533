"""Commands to one Redis server: what may be sent twice, what may not, and what failed."""

from __future__ import annotations

import collections.abc as cabc
import re
import typing as t

import redis
import redis.exceptions

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable

from ._redis_connections import Command
from ._redis_connections import Connection
from ._redis_connections import Connections
from ._redis_scripts import Script
from ._settings import check_not_negative
from ._settings import check_positive

_PAGE = 1000


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
        self._before: tuple[Command, ...] = ()
        self._after: tuple[Command, ...] = ()
        if wait_replicas:
            self._after = (("WAIT", wait_replicas, max(1, round(wait_timeout * 1000))),)

    def asking(self) -> Wire:
        """Return the way to a server that is about to get the key from another one (ASK)."""
        wire = Wire(self.connections)
        wire._replicas = self._replicas
        wire._before, wire._after = (("ASKING",),), self._after
        return wire

    def read(self, *command: bytes | str | int) -> t.Any:
        """Send a command that may be sent twice."""
        before = self._before
        return self._checked(self.read_all((*before, command))[len(before)])

    def read_all(self, commands: cabc.Sequence[Command]) -> list[t.Any]:
        """Send commands that may be sent twice; the errors are among the answers."""
        connections = self.connections
        try:
            connection = connections.idle()
            if connection is not None:
                try:
                    return self._ask(connection, commands)
                except redis.ConnectionError:
                    # The server was restarted, or closed it as idle; the others will be dead too.
                    connections.close()
            return self._ask(self._fresh(), commands)
        except redis.RedisError as error:
            connections.failed(error)
            raise translate(error, connections.address) from error

    def write(self, *command: bytes | str | int) -> t.Any:
        """Send a command that may not be sent twice.

        If it was carried out and the answer got lost, the second one would find its own change and
        report a conflict; the core would then merge, and count twice what is counted.
        """
        connections = self.connections
        commands = (*self._before, command, *self._after)
        try:
            answers = self._ask(self._alive(), commands)
            refusal = answers[len(self._before)]
            if isinstance(refusal, redis.ResponseError) and connections.refused(refusal):
                # It was not carried out, and there is a better server by now.
                answers = self._ask(self._fresh(), commands)
        except redis.RedisError as error:
            connections.failed(error)
            raise translate(error, connections.address) from error
        answer = self._checked(answers[len(self._before)])
        if self._after and answer:  # else nothing was written
            self._check_replicas(answers[-1])
        return answer

    def evaluate(
        self,
        send: cabc.Callable[..., t.Any],
        script: Script,
        names: tuple[str, ...],
        values: Command,
    ) -> t.Any:
        """Run a script by :meth:`read` or :meth:`write`."""
        try:
            return send("EVALSHA", script.digest, len(names), *names, *values)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, redis.exceptions.NoScriptError):
                raise
        # A restart or SCRIPT FLUSH; nothing has been run. EVAL also makes it known again.
        return send("EVAL", script.text, len(names), *names, *values)

    def run(self, script: Script, names: tuple[str, ...], values: Command) -> bool:
        """Run a script that writes, and says whether it did."""
        return bool(self.evaluate(self.write, script, names, values))

    def scan(self, pattern: str) -> cabc.Iterator[list[bytes]]:
        """Yield the names of keys, page by page; a name may come twice."""
        cursor: t.Any = b"0"
        while True:
            cursor, page = self.read("SCAN", cursor, "MATCH", pattern, "COUNT", _PAGE)
            yield page
            if cursor in (b"0", "0", 0):
                return

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

    def _ask(self, connection: Connection, commands: cabc.Sequence[Command]) -> list[t.Any]:
        try:
            if len(commands) == 1:
                connection.send_command(*commands[0])
            else:
                # As one text: redis-py makes a system call for each item of the list.
                connection.send_packed_command([b"".join(connection.pack_commands(commands))])
            answers = [_answer(connection) for _ in commands]
        except BaseException:
            self.connections.drop(connection)  # an answer may still be under way
            raise
        self.connections.give(connection)
        return answers

    def _checked(self, answer: t.Any) -> t.Any:
        if isinstance(answer, redis.ResponseError):
            raise translate(answer, self.connections.address) from answer
        return answer

    def _check_replicas(self, answer: t.Any) -> None:
        confirmed = self._checked(answer)
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


def _answer(connection: Connection) -> t.Any:
    """Return the next answer, which may be an error: the connection is as good as before."""
    try:
        return connection.read_response(disable_decoding=True)
    except redis.ResponseError as error:
        return error


def _is_alive(connection: Connection) -> bool:
    """Whether the other end is still there, and has nothing to say that nobody asked for."""
    try:
        return not connection.can_read(timeout=0)
    except (redis.RedisError, OSError):
        return False
