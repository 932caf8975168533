"""sessionkit, with signed ids."""

from __future__ import annotations

import functools
import time
import typing as t

from benchmarks import frameworks
from benchmarks.scenarios import PlainFace
from benchmarks.scenarios import content
from benchmarks.site import Places
from benchmarks.site import Site
from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit.cookie import Set
from sessionkit.stores import open_store

SECRETS = ["a secret of the benchmark, which is long enough"]


def store_url(places: Places, store: str) -> str:
    """Return where a store keeps the sessions; the folder is this implementation's own."""
    return {
        "memory": "memory:?max_sessions=none",
        "sqlite": f"sqlite:///{places.folder}/sessions.sqlite3",
        "file": f"file:///{places.folder}/sessions",
        "redis": f"{places.redis}?prefix={places.folder}:",
        "memcached": f"{places.memcached}?prefix=ours:",
        "postgres": f"{places.postgres}?sslmode=disable",
    }[store]


def make_store(places: Places, store: str) -> t.Any:
    made: t.Any = open_store(store_url(places, store))
    if hasattr(made, "create_schema"):
        made.create_schema()
    return made


class WSGIFace(PlainFace):
    def session(self, source: t.Any, /) -> t.Any:
        return source["sessionkit.session"]


class _FlaskFace(frameworks.FlaskFace, PlainFace):
    pass


class DjangoFace(frameworks.DjangoFace, PlainFace):
    def renew(self, session: t.Any, /) -> object:
        return session.cycle_key()

    def end(self, session: t.Any, /) -> object:
        return session.flush()


class OurSite(Site):
    """Can also give a browser a session whose idle time must be written anew when it is read.

    :param past: makes the same manager with another clock.
    """

    def __init__(self, app: t.Any, past: t.Any) -> None:
        super().__init__(app)
        self._past = past(clock=lambda: time.time() - 5 * 60 * 60)

    def browser(self, kind: str) -> str:
        if kind != "due":
            return super().browser(kind)
        manager = self._past
        session = manager.open(None)
        session.update(content())
        made = manager.commit(session)
        assert isinstance(made, Set)
        return str(manager.cookie.header(made, https=False).partition(";")[0])


def _manager(places: Places, store: str) -> t.Any:
    """Return what makes a manager; all have the same store."""
    if store in ("cookie", "encrypted"):
        return functools.partial(SealedSessionManager, SECRETS, encrypted=store == "encrypted")
    return functools.partial(SessionManager, make_store(places, store), secrets=SECRETS)


def build_wsgi(places: Places, store: str) -> Site:
    make = _manager(places, store)
    return OurSite(SessionMiddleware(frameworks.wsgi(WSGIFace()), make()), make)


class _PyramidFace(PlainFace):
    def session(self, source: t.Any, /) -> t.Any:
        return source.environ["sessionkit.session"]


def build_pyramid(places: Places, store: str) -> Site:
    make = _manager(places, store)
    return OurSite(SessionMiddleware(frameworks.pyramid(_PyramidFace()), make()), make)


def build_flask(places: Places, store: str) -> Site:
    from flask_sessionkit import SessionKit
    from flask_sessionkit.settings import flask_policy

    make = _manager(places, store)
    # The cookie as Flask names it; the idle time as everywhere here.
    make = functools.partial(
        make, policy=flask_policy(idle_timeout=24 * 60 * 60), cookie=CookieOptions(name="session")
    )
    app = frameworks.flask_app(_FlaskFace())
    SessionKit(app, manager=make())
    return OurSite(app, make)


def build_django(places: Places, store: str) -> Site:
    return django_site(store_url(places, store))


def django_site(url: str, **settings: t.Any) -> Site:
    """Return a Django project with our sessions on the store of that URL."""
    app = frameworks.django(
        DjangoFace(),
        middleware="django_sessionkit.middleware.SessionMiddleware",
        SESSION_ENGINE="django_sessionkit.engine",
        SESSION_COOKIE_AGE=24 * 60 * 60,
        SESSIONKIT={"STORE": url, "SECRETS": SECRETS},
        **settings,
    )
    from django_sessionkit.registry import get_manager

    if settings:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)

    manager = get_manager()
    getattr(manager.store, "create_schema", lambda: None)()
    past = functools.partial(
        type(manager),
        manager.store,
        secrets=SECRETS,
        policy=manager.policy,
        cookie=manager.cookie,
    )
    return OurSite(app, past)


#: The policies above say a day; the core's own for sessions without an owner is as long.
assert SessionPolicy().ownerless_timeout == 24 * 60 * 60
