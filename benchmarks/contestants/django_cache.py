"""Django's sessions in its cache: Redis, memcached or the process."""

from __future__ import annotations

import typing as t

from benchmarks.site import Places
from benchmarks.site import Site

from .django_engines import engine


def caches(places: Places, store: str) -> dict[str, t.Any]:
    """Return Django's setting for its own backends."""
    backends = {
        "memory": ("locmem.LocMemCache", "", {"MAX_ENTRIES": 10_000_000}),
        "redis": ("redis.RedisCache", places.redis, {}),
        "memcached": (
            "memcached.PyMemcacheCache",
            places.memcached.partition("://")[2],
            {"no_delay": True},
        ),
    }
    name, location, options = backends[store]
    backend = f"django.core.cache.backends.{name}"
    return {"default": {"BACKEND": backend, "LOCATION": location, "OPTIONS": options}}


def build_django(places: Places, store: str) -> Site:
    return engine("cache", CACHES=caches(places, store))
