"""The engine of a store: one of its own, whether it was given a URL or an application's engine."""

from __future__ import annotations

import collections.abc as cabc
import functools
import logging
import selectors
import time
import typing as t

import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.pool

from sessionkit.errors import ConfigurationError

# Where each statement is a transaction of its own unless one is begun; how that is done.
BEGIN = {
    "mysql": "BEGIN",
    "mariadb": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED",
    "sqlite": "BEGIN IMMEDIATE",
}

#: What a driver calls the seconds for connecting, for reading and for writing.
_TIMEOUTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pymysql": (("connect_timeout",), ("read_timeout", "write_timeout")),
    "psycopg": (("connect_timeout",), ()),
    "pysqlite": ((), ("timeout",)),
}

# At the level DEBUG rows would be logged as they are.
_LOGGING_NAME = "sessionkit"
logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").addFilter(
    lambda record: record.levelno > logging.DEBUG
)


def engine_of(source: object, *, connect_timeout: float, timeout: float) -> sa.Engine:
    """Return an engine that keeps no connections.

    :param source: a URL, or an engine, of which everything but its pool is taken. In that pool a
        connection may be in the middle of a transaction of the application; and threads that hold
        one each, as sessions of the ORM do, would wait for each other for a second one.
    """
    if isinstance(source, sa.Engine):
        settings = _settings_of(source)
        url = source.url
    elif isinstance(source, (str, sa.URL)):
        url = _url(source)
        settings = {"connect_args": _time_outs(url, connect_timeout, timeout)}
    else:
        raise ConfigurationError(
            "the SQLAlchemy store needs a URL or an Engine; a Connection or Session is one that "
            "the application has its transactions on"
        )
    _refuse_memory(url)
    engine = _create(url, settings)
    if engine.dialect.is_async:
        raise ConfigurationError(f"{engine.dialect.driver} is asynchronous; name another driver")
    if not engine.dialect.supports_sane_rowcount:
        raise ConfigurationError(
            f"{engine.dialect.name} does not tell how many rows a statement changed"
        )
    # Before SQLAlchemy's own, which look at what is set here.
    prepare = functools.partial(_prepare, engine.dialect, timeout)
    sqlalchemy.event.listen(engine, "connect", prepare, insert=True)
    return engine


def _create(url: sa.URL, settings: dict[str, t.Any]) -> sa.Engine:
    if url.get_backend_name() in BEGIN:
        settings["isolation_level"] = "AUTOCOMMIT"
    try:
        return sa.create_engine(
            url,
            poolclass=sqlalchemy.pool.NullPool,
            hide_parameters=True,
            logging_name=_LOGGING_NAME,
            **settings,
        )
    except ImportError as error:
        raise ConfigurationError(
            f"{url.drivername} needs a driver that is missing ({error}): install it, or name "
            "another one, as in sqlalchemy+mysql+pymysql://"
        ) from error
    except sqlalchemy.exc.ArgumentError as error:
        raise ConfigurationError(f"SQLAlchemy does not take this URL: {error}") from error


def address_of(url: sa.URL) -> str:
    """Return where *url* points to, without anything that may be a secret."""
    shown = sa.URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return shown.render_as_string()


def _url(source: str | sa.URL) -> sa.URL:
    try:
        url = sa.make_url(source)
        url.get_dialect()
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise ConfigurationError(f"SQLAlchemy has no such dialect: {error}") from error
    except (sqlalchemy.exc.ArgumentError, ValueError):
        # Its text may quote the password.
        raise ConfigurationError(
            "SQLAlchemy cannot take the store URL apart; characters such as / # ? @ : in a user "
            "name or password must be percent-encoded"
        ) from None
    return url


def _refuse_memory(url: sa.URL) -> None:
    if url.get_backend_name() != "sqlite":
        return
    database = url.database or ""
    if not database or ":memory:" in database or "memory" in url.query.get("mode", ""):
        raise ConfigurationError(
            "every connection to an SQLite database in memory is a database of its own; name a "
            "file, or use MemoryStore (memory:) for sessions that live in one process"
        )


def _time_outs(url: sa.URL, connect_timeout: float, timeout: float) -> dict[str, t.Any]:
    """Return the driver's arguments; none for a driver that we do not know."""
    driver = url.get_driver_name()
    connecting, asking = _TIMEOUTS.get(driver, ((), ()))
    if driver == "psycopg":
        connect_timeout = max(2, round(connect_timeout))  # libpq's least
    given = dict.fromkeys(connecting, connect_timeout) | dict.fromkeys(asking, timeout)
    return {name: value for name, value in given.items() if name not in url.query}


def _settings_of(engine: sa.Engine) -> dict[str, t.Any]:
    shared = sqlalchemy.pool.StaticPool, sqlalchemy.pool.SingletonThreadPool
    if isinstance(engine.pool, shared):
        raise ConfigurationError(
            f"an engine with a {type(engine.pool).__name__} has connections that several share, "
            "transactions of the application included; use QueuePool and a database that is not in "
            "memory"
        )
    if engine.dialect.is_async:
        raise ConfigurationError("the SQLAlchemy store needs a synchronous engine")
    return {"creator": functools.partial(_connect_as, engine)}


def _connect_as(engine: sa.Engine) -> t.Any:
    """Return a new connection as *engine* makes them: its arguments, its events, not its pool."""
    # A pool of this moment: a lock of one that lives longer could be held while somebody forks.
    pooled = engine.pool.recreate().connect()
    connection = pooled.dbapi_connection
    pooled.detach()
    return connection


def _prepare(dialect: sa.Dialect, timeout: float, connection: t.Any, _record: object) -> None:
    """Have the server give up waiting before we do, so that we hear what has become of it."""
    patience = timeout * 0.8
    if dialect.name in ("mysql", "mariadb"):
        seconds = max(1, int(patience))
        with connection.cursor() as cursor:
            # Strict: what is too long is refused, not cut off. The other modes, such as
            # NO_BACKSLASH_ESCAPES, change what a statement means.
            cursor.execute(
                "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
                f"innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds} "
                f"/*M! , max_statement_time = {patience:.3f} */"  # which only MariaDB has
            )
    elif dialect.name == "postgresql":
        if dialect.driver == "psycopg":
            _limit_waiting(connection, dialect.loaded_dbapi.OperationalError, timeout)
        milliseconds = max(1, int(patience * 1000))
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {milliseconds}")
        connection.commit()


def _limit_waiting(connection: t.Any, error: type[Exception], seconds: float) -> None:
    """Have psycopg, which waits for a server as long as it takes, give up."""

    def wait(generator: cabc.Generator[int, int, t.Any], *_: object, **__: object) -> t.Any:
        give_up = time.monotonic() + seconds
        try:
            wanted = next(generator)
            with selectors.DefaultSelector() as selector:
                selector.register(connection.fileno(), wanted)
                while True:
                    ready = selector.select(max(0.0, give_up - time.monotonic()))
                    if not ready:
                        generator.close()
                        connection.close()
                        raise error(f"no answer within {seconds:g} s") from TimeoutError()
                    wanted = generator.send(ready[0][1])
                    selector.modify(connection.fileno(), wanted)
        except StopIteration as end:
            return end.value

    connection.wait = wait
