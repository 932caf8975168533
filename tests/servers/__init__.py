"""Real servers for tests: on free ports of this machine, with data folders of their own.

They can be killed, paused and started again. Nothing here touches a server that was running before.
"""

from __future__ import annotations

from .mariadb import MariaDBServer
from .postgresql import PostgreSQLServer
from .process import MissingServer
from .process import Server
from .proxy import Proxy
from .redis import RedisServer
from .redis_cluster import RedisCluster
from .redis_sentinel import SentinelTrio

__all__ = [
    "MariaDBServer",
    "MissingServer",
    "PostgreSQLServer",
    "Proxy",
    "RedisCluster",
    "RedisServer",
    "SentinelTrio",
    "Server",
]
