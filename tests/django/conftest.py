"""Django configured once; sites made of a few views, on every store; a store that can be down."""

from __future__ import annotations

import collections.abc as cabc
import itertools
import typing as t
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.test import Client
from django.test import override_settings

MIDDLEWARE = {
    "ours": "django_sessionkit.middleware.SessionMiddleware",
    "stock": "django.contrib.sessions.middleware.SessionMiddleware",
}

settings.configure(
    SECRET_KEY="of the tests",
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django_sessionkit",
        "django_sessionkit.model_store",
    ],
    MIDDLEWARE=[
        MIDDLEWARE["ours"],
        "django.middleware.csrf.CsrfViewMiddleware",
        "django_sessionkit.auth.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.ModelBackend",
        "django_sessionkit.auth.OwnerBackend",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    SESSION_ENGINE="django_sessionkit.engine",
    SESSIONKIT={"STORE": "memory:"},
    USE_TZ=True,
)
django.setup()

# ruff: noqa: E402
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.http import HttpResponseBase
from django.urls import path

from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from sessionkit.base_manager import BaseManager
from tests.spies import Spy

View = cabc.Callable[[t.Any], t.Any]


def session_of(browser: Client) -> SessionStore:
    """Return the session that the browser has now."""
    return t.cast(SessionStore, browser.session)


class Site:
    """A project of a few views: ``site(name=view)`` answers ``/name``."""

    def __call__(self, **views: View) -> Client:
        patterns = [path(name, _plain(view)) for name, view in views.items()]
        settings.ROOT_URLCONF = _URLs(patterns)
        return self.browser()

    def browser(self, **options: t.Any) -> Client:
        """Return another browser."""
        return Client(**options)


class _URLs:
    def __init__(self, urlpatterns: list[t.Any]) -> None:
        self.urlpatterns = urlpatterns


def _plain(view: View) -> View:
    """Let views return anything, to be shown as text."""

    def show(request: t.Any) -> t.Any:
        answer = view(request)
        return answer if isinstance(answer, HttpResponseBase) else HttpResponse(str(answer))

    return show


@pytest.fixture
def spy() -> cabc.Generator[Spy, None, None]:
    """A store of its own that the test may count on and switch off."""
    store = Spy()

    with override_settings(SESSIONKIT={"STORE": store}):
        yield store


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> cabc.Generator[None, None, None]:
    """Run the test on each store."""
    url = f"sqlite:///{tmp_path}/sessions.sqlite3"

    if request.param == "memory":
        url = "memory:"
    elif request.param == "redis":
        url = request.getfixturevalue("redis_url")

    with override_settings(SESSIONKIT={"STORE": url}):
        yield


@pytest.fixture(params=["ours", "stock"])
def middleware(request: pytest.FixtureRequest) -> cabc.Generator[str, None, None]:
    """Run the test under our middleware and under Django's."""
    with use_middleware(request.param):
        yield request.param


def use_middleware(name: str) -> t.Any:
    """Return a context manager in which that session middleware is used."""
    rest = list(settings.MIDDLEWARE[1:])
    return override_settings(MIDDLEWARE=[MIDDLEWARE[name], *rest])


@pytest.fixture
def site() -> cabc.Generator[Site, None, None]:
    with override_settings(ROOT_URLCONF=None):
        yield Site()


@pytest.fixture
def manager(spy: Spy) -> BaseManager:
    return get_manager()


@pytest.fixture(scope="session")
def database() -> None:
    call_command("migrate", verbosity=0)


_numbers = itertools.count(1)


@pytest.fixture
def make_user(database: None) -> cabc.Callable[[], User]:
    return lambda: User.objects.create_user(f"user{next(_numbers)}", password="secret")


@pytest.fixture
def user(make_user: cabc.Callable[[], User]) -> User:
    return make_user()
