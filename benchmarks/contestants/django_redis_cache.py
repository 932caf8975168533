"""Django's sessions in the cache of the library django-redis."""

from __future__ import annotations

from benchmarks.site import Places
from benchmarks.site import Site

from .django_engines import engine


def build_django(places: Places, store: str) -> Site:
    cache = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": places.redis}
    return engine("cache", CACHES={"default": cache})
