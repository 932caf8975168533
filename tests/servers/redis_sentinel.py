"""A Redis master with two replicas, and three Sentinels that watch them."""

from __future__ import annotations

import contextlib
import time
import typing as t

from .process import PATIENCE
from .redis import RedisServer

if t.TYPE_CHECKING:
    import redis
    from typing_extensions import Self

SERVICE = "shop"


class SentinelServer(RedisServer):
    """A Sentinel that watches one master."""

    def __init__(self, master: RedisServer, *, quorum: int = 2, password: str = "") -> None:
        super().__init__()
        self.password = password or None
        login = f"sentinel auth-pass {SERVICE} {master.password}\n" if master.password else ""
        own = f"requirepass {password}\n" if password else ""
        (self.folder / "sentinel.conf").write_text(
            f"bind {self.host}\nport {self.port}\n{own}"
            f"sentinel monitor {SERVICE} {master.host} {master.port} {quorum}\n{login}"
            f"sentinel down-after-milliseconds {SERVICE} 500\n"
            f"sentinel failover-timeout {SERVICE} 2000\n"
        )

    def command(self) -> list[str]:
        return [self.program, str(self.folder / "sentinel.conf"), "--sentinel"]


class SentinelTrio:
    """The servers and those who watch them.

    :param options: settings of the servers, not of the Sentinels.
    """

    def __init__(self, *, sentinel_password: str = "", **options: t.Any) -> None:
        options = {"repl_diskless_sync_delay": "0", **options}
        password = options.get("requirepass")
        if password:
            options["masterauth"] = password
        first = RedisServer(**options)
        self.servers = [
            first,
            *(RedisServer(replicaof=f"{first.host} {first.port}", **options) for _ in range(2)),
        ]
        self.sentinels = [SentinelServer(first, password=sentinel_password) for _ in range(3)]
        self.sentinel_password = sentinel_password
        self._login = f":{password}@" if password else ""

    @property
    def url(self) -> str:
        hosts = ",".join(f"{one.host}:{one.port}" for one in self.sentinels)
        query = f"?sentinel_password={self.sentinel_password}" if self.sentinel_password else ""
        return f"redis+sentinel://{self._login}{hosts}/{SERVICE}/0{query}"

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [(one.host, one.port) for one in self.sentinels]

    def master(self) -> RedisServer:
        """Return the server that most Sentinels say is the master."""
        said = [port for one in self.sentinels if (port := self._said(one))]
        port = max(said, key=said.count)
        return next(server for server in self.servers if server.port == port)

    def start(self) -> None:
        for one in (*self.servers, *self.sentinels):
            one.start()
        self.wait()

    def wait(self) -> None:
        """Return when every Sentinel knows the others and all that run are in step."""
        give_up = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert time.monotonic() < give_up, "Sentinel does not get ready"
            time.sleep(0.05)

    def hold(self) -> None:
        """Let there be no further failover.

        A server that comes back without its data may be chosen, if the Sentinels are hasty.
        """
        for one in self.sentinels:
            with one.client() as client:
                client.execute_command("SENTINEL SET", SERVICE, "down-after-milliseconds", 60_000)

    def flush(self) -> None:
        with self.master().client() as client:
            client.flushall()

    def remove(self) -> None:
        for one in (*self.sentinels, *self.servers):
            one.remove()

    def _is_ready(self) -> bool:
        states = [self._state(one) for one in self.sentinels if one.process]
        running = [one for one in self.servers if one.process]
        return all(
            state.get("num-other-sentinels") == 2 and state.get("num-slaves", 0) >= 2
            for state in states
        ) and self._in_step(len(running) - 1)

    def _in_step(self, count: int) -> bool:
        with contextlib.suppress(_error()), self.master().client() as client:
            replicas: t.Any = client.info("replication")
            online = [replicas.get(f"slave{number}", {}).get("state") for number in range(2)]
            if replicas.get("role") != "master" or online.count("online") != count:
                return False
            # A replica's first answer takes a second.
            client.pipeline(transaction=False).set("first", "x").delete("first").execute()
            return bool(client.wait(count, 1000) == count)
        return False

    def _state(self, sentinel: SentinelServer) -> dict[str, t.Any]:
        with contextlib.suppress(_error()), sentinel.client() as client:
            state: t.Any = client.sentinel_masters()
            return dict(state.get(SERVICE, {}))
        return {}

    def _said(self, sentinel: SentinelServer) -> int | None:
        with contextlib.suppress(_error()), sentinel.client() as client:
            answer: t.Any = client.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)
            return int(answer[1])
        return None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def _error() -> type[redis.RedisError]:
    import redis

    return redis.RedisError
