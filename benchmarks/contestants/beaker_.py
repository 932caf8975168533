"""Beaker's middleware. It expires nothing in a store unless it prolongs what is read."""

from __future__ import annotations

import typing as t

from beaker.middleware import SessionMiddleware

from benchmarks import frameworks
from benchmarks.scenarios import PlainFace
from benchmarks.site import Places
from benchmarks.site import Site


class _Face(PlainFace):
    def session(self, source: t.Any, /) -> t.Any:
        return source["beaker.session"]

    def created(self, session: t.Any, /) -> object:
        return session.save()

    written = changed = created

    def renew(self, session: t.Any, /) -> object:
        return session.regenerate_id()

    def end(self, session: t.Any, /) -> object:
        return session.delete()


class _CookieFace(_Face):
    def renew(self, session: t.Any, /) -> object:
        return None  # a cookie has no id


class _Beaker(Site):
    def __init__(self, options: dict[str, t.Any]) -> None:
        app = frameworks.wsgi(_CookieFace() if options["session.type"] == "cookie" else _Face())
        self._plain = SessionMiddleware(app, {**options, "session.save_accessed_time": False})
        self._rolling = SessionMiddleware(app, {**options, "session.timeout": 24 * 60 * 60})
        super().__init__(self._plain)

    def roll(self, rolling: bool) -> None:
        self.app = self._rolling if rolling else self._plain


def build_wsgi(places: Places, store: str) -> Site:
    stores: dict[str, dict[str, t.Any]] = {
        "memory": {"type": "memory"},
        "file": {"type": "file"},
        "redis": {"type": "ext:redis", "url": places.redis},
        "memcached": {"type": "ext:memcached", "url": f"127.0.0.1:{places.port('memcached')}"},
        "sqlite": {"type": "ext:database", "url": f"sqlite:///{places.folder}/beaker.sqlite3"},
        "postgres": {
            "type": "ext:database",
            "url": f"{places.postgres.replace('://', '+psycopg://')}?sslmode=disable",
        },
        "cookie": {"type": "cookie", "validate_key": "k" * 50},
    }
    options = {
        "data_dir": f"{places.folder}/beaker",
        "cookie_expires": 24 * 60 * 60,
        "invalidate_corrupt": True,
        **stores[store],
    }
    return _Beaker({f"session.{name}": value for name, value in options.items()})
