"""Sites in all three ways in, and every store there is."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import typing as t
from pathlib import Path

import pytest

from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import Store
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from tests.security.sites import KINDS
from tests.security.sites import Site
from tests.security.sites import site_of

MakeSite = cabc.Callable[..., Site]

#: How many bytes are drawn for a new session: of its id and of two more numbers.
IDENTITY = 54


@pytest.fixture
def clock() -> FakeClock:
    # The real time: Redis expires by itself.
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> cabc.Iterator[Store]:
    """Every store, empty."""
    url = "memory:"

    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/sessions.sqlite3"
    elif request.param == "redis":
        url = request.getfixturevalue("redis_url")

    store: t.Any = open_store(url)
    yield store

    if request.param != "memory":
        store.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each of the three ways in."""
    return str(request.param)


@pytest.fixture
def make_site(clock: FakeClock) -> cabc.Iterator[MakeSite]:
    """Make a site; further arguments are settings of the policy."""
    with contextlib.ExitStack() as stack:

        def make(
            kind: str = "wsgi",
            store: Store | None = None,
            *,
            secrets: list[str] | None = None,
            cookie: CookieOptions | None = None,
            **policy: t.Any,
        ) -> Site:
            manager = SessionManager(
                store or open_store("memory:"),
                secrets=secrets,
                policy=SessionPolicy(**policy),
                cookie=cookie,
                clock=clock,
                sleep=clock.sleep,
            )
            return stack.enter_context(site_of(kind, manager))

        yield make


@pytest.fixture
def site(make_site: MakeSite, kind: str) -> Site:
    """The application in each of the three ways, on memory."""
    return make_site(kind)


@pytest.fixture
def stored_site(make_site: MakeSite, any_store: Store) -> Site:
    """The application in raw WSGI, on every store."""
    return make_site("wsgi", any_store)


@pytest.fixture(params=[None, ["a secret"]], ids=["bare", "signed"])
def any_site(
    request: pytest.FixtureRequest, make_site: MakeSite, kind: str, any_store: Store
) -> Site:
    """All three ways on every store, with bare and with signed ids."""
    return make_site(kind, any_store, secrets=request.param)
