"""Which server serves which site on which store: all in a night, and else each of them once."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import itertools
import os
import typing as t

import pytest

from tests.attacks.website import SOAK
from tests.engines import ENGINES
from tests.servers import MissingServer
from tests.servers import wsgi

from .browser import Browser

ENGINES_BY_NAME = {engine.name: engine for engine in ENGINES if engine.shared}

MODULES = {
    "wsgi": "wsgi_site",
    "flask": "flask_site",
    "django": "django_site",
    "django-stock": "django_site",
}


class Case(t.NamedTuple):
    """A server with a site on a store, not started yet."""

    server: type[wsgi.WSGIServer]
    site: str
    store: str

    def __str__(self) -> str:
        return f"{self.server.name}, {self.site}, {self.store}"


DIAGONAL = (
    Case(wsgi.GunicornSync, "django", "sqlite"),
    Case(wsgi.GunicornThreads, "flask", "redis"),
    Case(wsgi.GunicornGevent, "wsgi", "redis"),
    Case(wsgi.Waitress, "wsgi", "sqlite"),
    Case(wsgi.UWSGI, "django-stock", "redis"),
)

#: The stores that are not in the diagonal, each once.
OTHER_STORES = (
    Case(wsgi.GunicornThreads, "wsgi", "file"),
    Case(wsgi.GunicornGevent, "wsgi", "redis+cluster"),
    Case(wsgi.GunicornThreads, "flask", "redis+sentinel"),
    Case(wsgi.GunicornGevent, "flask", "memcached"),
    Case(wsgi.GunicornGevent, "wsgi", "postgres"),
    Case(wsgi.GunicornThreads, "django", "sqlalchemy (MariaDB)"),
)

CASES = (
    tuple(itertools.starmap(Case, itertools.product(wsgi.KINDS, MODULES, ENGINES_BY_NAME)))
    if SOAK
    else DIAGONAL
)

#: For attacks on the store, rather than on what stands before it.
ON_EVERY_STORE = CASES if SOAK else (*DIAGONAL, *OTHER_STORES)


class Site:
    """A site that is being served.

    :ivar case: what it is.
    :ivar server: can be stopped, killed and started again.
    """

    def __init__(self, case: Case, server: wsgi.WSGIServer) -> None:
        self.case = case
        self.server = server

    @property
    def is_stock(self) -> bool:
        """Whether Django's own session middleware is there, with its own rules."""
        return self.case.site == "django-stock"

    def browser(self) -> Browser:
        return Browser(self.server.address)

    def visitor(self, user: str = "1") -> Browser:
        """Return a browser that has logged in."""
        browser = self.browser()
        browser.visit("/login", user=user)
        return browser


@contextlib.contextmanager
def served(
    case: Case, request: pytest.FixtureRequest, *, preload: bool = False, **variables: str
) -> cabc.Iterator[Site]:
    """Serve a case while the context lasts; skip the test where the server is not installed.

    :param variables: see ``environment``.
    """
    variables["SITE_MIDDLEWARE"] = "stock" if case.site == "django-stock" else "ours"

    url = ENGINES_BY_NAME[case.store].url(request)
    module = f"tests.attacks.sites.{MODULES[case.site]}"

    try:
        server = case.server(module, {"SITE_STORE": url, **variables}, preload=preload)
    except MissingServer as error:
        # Not everybody can build uWSGI; everything else is a requirement of the tests.
        if os.environ.get("CI") == "true" and case.server is not wsgi.UWSGI:
            raise
        pytest.skip(f"{error} is not installed")

    with server:
        yield Site(case, server)


def site_fixture(
    cases: cabc.Iterable[Case] = CASES, *, preload: bool = False, **variables: str
) -> t.Any:
    """Return a fixture: a site for all tests of a module, in one case after the other."""

    @pytest.fixture(scope="module", params=list(cases), ids=str)
    def site(request: pytest.FixtureRequest) -> cabc.Iterator[Site]:
        with served(request.param, request, preload=preload, **variables) as running:
            yield running

    return site
