"""What a store's client costs in a request, beyond what it costs by itself.

    python -m benchmarks.coldness                   every store
    python -m benchmarks.coldness redis sqlite

For each store: a request with its session in memory, the store's lowest client alone, and both in
turn. Whatever both in turn take beyond the sum is nobody's code: client, server and kernel are on
one CPU, and each finds its instructions and data gone from the caches when its turn comes. That it
is this, and not the scheduler, shows the last column: there, a loop that only looks at the clock
takes the place of the request, for as long. Starts the servers that it needs.
"""

from __future__ import annotations

import argparse
import collections.abc as cabc
import contextlib
import functools
import gc
import secrets
import statistics
import tempfile
import time
import typing as t

from tests import servers
from tests.servers.memcached import MemcachedServer

from .contestants import ours
from .contestants import raw
from .contestants import raw_connection
from .method import measure
from .method import pin
from .site import Places
from .site import Site
from .site import make_environ

STORES = ("sqlite", "file", "redis", "memcached", "postgres")
OPERATIONS = ("read", "write")

#: Batches, and how often a step is made in each.
BATCHES, REQUESTS = 40, 100

Step = cabc.Callable[[], object]


@contextlib.contextmanager
def places(store: str) -> cabc.Generator[Places, None, None]:
    """Start the server of a store."""
    servers_of: dict[str, cabc.Callable[[], t.Any]] = {
        "redis": servers.RedisServer,
        "memcached": MemcachedServer,
        "postgres": servers.PostgreSQLServer,
    }
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        urls = dict.fromkeys(servers_of, "")
        if store in servers_of:
            urls[store] = stack.enter_context(servers_of[store]()).url
        yield Places(folder, **urls)


def client(store: str, where: Places) -> t.Any:
    """Return the operations of the lowest public layer of a store's client."""
    module = raw_connection if store in ("redis", "postgres") else raw
    site: t.Any = module.build_raw(where, store)
    return site._raw


def least(step: Step) -> float:
    """Return the least of the medians of batches, in microseconds."""
    return min(_median(step) for _ in range(BATCHES))


def _median(step: Step) -> float:
    took = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        step()
        took.append(time.perf_counter() - started)
    return statistics.median(took) * 1e6


def loop(seconds: float) -> None:
    """Do nothing, with few instructions."""
    clock = time.perf_counter
    end = clock() + seconds
    while clock() < end:
        pass


def compare(site: Site, operation: str, store: Step) -> list[float]:
    """Return what the request and the store take, both in turn, and a loop and the store."""
    cookie = site.browser("small")

    def request() -> None:
        measure(site, [make_environ(f"/{operation}", cookie)])

    alone = least(request)
    seconds = alone / 1e6
    both = least(lambda: (request(), store()))
    looped = least(lambda: (loop(seconds), store())) - least(lambda: loop(seconds))
    return [alone, least(store), both, looped]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("stores", nargs="*", choices=[[], *STORES], default=[])
    chosen = parser.parse_args().stores or STORES
    pin()
    gc.disable()
    heads = ("in memory", "client", "sum", "both in turn", "beyond the sum", "with a loop")
    print(f"| | {' | '.join(heads)} |")
    print(f"| --- |{' ---: |' * len(heads)}")
    for store in chosen:
        with places(store) as where:
            site = ours.build_wsgi(where, "memory")
            operations = client(store, where)
            key = secrets.token_hex(32)
            operations.seed(key, raw.SMALL)
            for name in OPERATIONS:
                step = functools.partial(getattr(operations, name), key)
                alone, itself, both, looped = compare(site, name, step)
                total = alone + itself
                figures = (alone, itself, total, both, both - total, looped - itself)
                cells = " | ".join(f"{figure:.1f}" for figure in figures)
                print(f"| {store}, {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
