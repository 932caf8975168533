"""Flask-Session, with its defaults but for what its stores need."""

from __future__ import annotations

import typing as t

import flask

from benchmarks import frameworks
from benchmarks.site import Places
from benchmarks.site import Site

from .flask_cookie import FlaskPeer
from .flask_cookie import FlaskPeerFace


class _Face(FlaskPeerFace):
    def renew(self, session: t.Any, /) -> object:
        interface: t.Any = flask.current_app.session_interface
        return interface.regenerate(session)


def _cachelib(cache: t.Any) -> dict[str, t.Any]:
    return {"SESSION_TYPE": "cachelib", "SESSION_CACHELIB": cache}


def _sql(url: str) -> dict[str, t.Any]:
    return {"SESSION_TYPE": "sqlalchemy", "SQLALCHEMY_DATABASE_URI": url}


def _settings(places: Places, store: str) -> dict[str, t.Any]:
    if store == "redis":
        import redis

        return {"SESSION_TYPE": "redis", "SESSION_REDIS": redis.Redis.from_url(places.redis)}
    if store == "memcached":
        import pymemcache

        # By default it shares one client, which threads that write at once hang upon for ever.
        server = ("127.0.0.1", places.port("memcached"))
        client = pymemcache.PooledClient(server, no_delay=True)
        return {"SESSION_TYPE": "memcached", "SESSION_MEMCACHED": client}
    if store == "memory":
        from cachelib import SimpleCache

        return _cachelib(SimpleCache(threshold=10_000_000))
    if store == "file":
        from cachelib import FileSystemCache

        # With its default of 500 files it drops sessions.
        return _cachelib(FileSystemCache(f"{places.folder}/flask", threshold=10_000_000))
    if store == "sqlite":
        return _sql(f"sqlite:///{places.folder}/flask.sqlite3")
    return _sql(f"{places.postgres.replace('://', '+psycopg://')}?sslmode=disable")


def build_flask(places: Places, store: str) -> Site:
    import flask_session

    app = frameworks.flask_app(_Face(), **_settings(places, store))
    if app.config["SESSION_TYPE"] == "sqlalchemy":
        app.config["SESSION_SQLALCHEMY"] = _database(app)
    flask_session.Session(app)
    return FlaskPeer(app)


def _database(app: flask.Flask) -> t.Any:
    import flask_sqlalchemy
    import sqlalchemy

    database = flask_sqlalchemy.SQLAlchemy(app)
    with app.app_context():
        engine = database.engine
    if engine.dialect.name == "sqlite":

        @sqlalchemy.event.listens_for(engine, "connect")
        def use_wal(connection: t.Any, record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    return database
