"""The implementations that are compared; which there are says ``list_all``."""

from __future__ import annotations

import importlib
import typing as t

if t.TYPE_CHECKING:
    from benchmarks.site import Places
    from benchmarks.site import Site


class Contestant(t.NamedTuple):
    """One implementation on one store, in one framework.

    :param kind: ``ours``, ``peer``, ``bare`` (the framework without sessions) or ``raw`` (the
        commands of the store without anything around them).
    :param module: where its ``build(places, store)`` is; run in a process of its own.
    """

    kind: t.Literal["ours", "peer", "bare", "raw"]
    name: str
    framework: str
    store: str
    module: str

    @property
    def title(self) -> str:
        """What identifies it."""
        return f"{self.name}/{self.framework}/{self.store}".replace(" ", "-")

    def build(self, places: Places) -> Site:
        module = importlib.import_module(f"{__name__}.{self.module}")
        return t.cast("Site", getattr(module, f"build_{self.framework}")(places, self.store))


_SERVER_SIDE = ("memory", "sqlite", "file", "redis", "memcached", "postgres")


def _of(
    kind: t.Literal["ours", "peer", "bare", "raw"],
    name: str,
    framework: str,
    module: str,
    *stores: str,
) -> list[Contestant]:
    return [Contestant(kind, name, framework, store, module) for store in stores]


def list_all() -> list[Contestant]:
    """Return all of them; those of one framework and store are compared with each other."""
    return [
        *_of("bare", "bare", "wsgi", "bare", "none"),
        *_of("bare", "bare", "flask", "bare", "none"),
        *_of("bare", "bare", "django", "bare", "none"),
        *_of("bare", "bare", "pyramid", "bare", "none"),
        *_of("raw", "raw client", "raw", "raw", *_SERVER_SIDE, "cookie"),
        *_of("raw", "raw connection", "raw", "raw_connection", "redis", "postgres"),
        *_of("ours", "sessionkit", "wsgi", "ours", *_SERVER_SIDE, "cookie", "encrypted"),
        *_of("peer", "Beaker", "wsgi", "beaker_", *_SERVER_SIDE, "cookie"),
        *_of("ours", "sessionkit", "pyramid", "ours", "redis"),
        *_of("peer", "pyramid-session-redis", "pyramid", "pyramid_redis", "redis"),
        *_of("ours", "sessionkit", "flask", "ours", *_SERVER_SIDE, "cookie"),
        *_of("peer", "Flask-Session", "flask", "flask_session_", *_SERVER_SIDE),
        *_of("peer", "Flask's cookie", "flask", "flask_cookie", "cookie"),
        *_of("ours", "sessionkit", "django", "ours", *_SERVER_SIDE),
        *_of("ours", "sessionkit model store", "django", "ours_model", "sqlite", "postgres"),
        *_of("peer", "Django db", "django", "django_db", "sqlite", "postgres"),
        *_of("peer", "Django cache", "django", "django_cache", "memory", "redis", "memcached"),
        *_of("peer", "Django cache, django-redis", "django", "django_redis_cache", "redis"),
        *_of("peer", "Django cached_db", "django", "django_cached_db", "redis"),
        *_of("peer", "Django file", "django", "django_file", "file"),
        *_of("peer", "Django signed_cookies", "django", "django_cookie", "cookie"),
    ]
