"""pyramid-session-redis."""

from __future__ import annotations

import typing as t

from benchmarks import frameworks
from benchmarks.scenarios import PlainFace
from benchmarks.site import Places
from benchmarks.site import Site


class _Face(PlainFace):
    def session(self, source: t.Any, /) -> t.Any:
        return source.session

    def changed(self, session: t.Any, /) -> object:
        return session.changed()

    def renew(self, session: t.Any, /) -> object:
        # It has nothing for that.
        values = dict(session)
        session.invalidate()
        return session.update(values)

    def end(self, session: t.Any, /) -> object:
        return session.invalidate()


def build_pyramid(places: Places, store: str) -> Site:
    from pyramid_session_redis import RedisSessionFactory

    factory = RedisSessionFactory("k" * 50, redis_url=places.redis, timeout=24 * 60 * 60)
    return Site(frameworks.pyramid(_Face(), session_factory=factory))
