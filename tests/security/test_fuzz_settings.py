"""Settings of wrong types: an error that names the setting, when it is read and not before."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import typing as t

import flask
import hypothesis
import pytest
from hypothesis import strategies as st

from flask_sessionkit import SessionKit
from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit.base_manager import BaseManager
from sessionkit.errors import ConfigurationError
from sessionkit.stores.memory import MemoryStore
from tests.security.sites import django_settings

FLASK = (
    "SESSIONKIT_STORE",
    "SESSIONKIT_SECRETS",
    "SESSIONKIT_POLICY",
    "SESSIONKIT_COOKIE",
    "SESSIONKIT_HEADER",
    "SESSIONKIT_TYPES",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_PARTITIONED",
    "APPLICATION_ROOT",
    "PERMANENT_SESSION_LIFETIME",
    "WTF_CSRF_FIELD_NAME",
)
DJANGO = (
    "SESSIONKIT",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_AGE",
    "SESSION_EXPIRE_AT_BROWSER_CLOSE",
)
SECTIONS = ("STORE", "SECRETS", "POLICY", "COOKIE", "HEADER", "TYPES")
POLICY = [field.name for field in dataclasses.fields(SessionPolicy)]
COOKIE = [field.name for field in dataclasses.fields(CookieOptions)]

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.just(object()),
    st.just(object),
    st.just(len),
    st.sampled_from([1j, ..., datetime.timedelta.max, datetime.timedelta.min, "memory:", "\udcff"]),
)
things = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers()), inner, max_size=3),
    ),
    max_leaves=5,
)


fuzzed = hypothesis.settings(
    max_examples=40, deadline=2000, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)


def _from_flask(config: dict[str, t.Any]) -> BaseManager:
    app = flask.Flask("fuzzed")
    app.config.update({"SESSIONKIT_STORE": "memory:", **config})
    # Never when it is attached.
    kit = SessionKit(app)
    return kit.manager_of(app)


def _from_django(given: dict[str, t.Any]) -> BaseManager:
    with django_settings(**given):
        from django_sessionkit.registry import get_manager

        return get_manager()


def _names_it(make: t.Callable[[], object], *names: str) -> None:
    """Make something; if it cannot be made, that is said with one of these names."""
    said: str | None = None

    try:
        make()
    except ConfigurationError as error:
        said = str(error)

    assert said is None or any(name in said for name in names), said


@fuzzed
@hypothesis.given(things)
@pytest.mark.parametrize("name", POLICY)
def test_policy(name: str, value: t.Any) -> None:
    _names_it(lambda: SessionPolicy(**{name: value}), name)


@fuzzed
@hypothesis.given(things)
@pytest.mark.parametrize("name", COOKIE)
def test_cookie(name: str, value: t.Any) -> None:
    _names_it(lambda: CookieOptions(**{name: value}), name)


@fuzzed
@hypothesis.given(things)
@pytest.mark.parametrize("name", ["store", "secrets", "types", "policy", "cookie", "header"])
def test_manager(name: str, value: t.Any) -> None:
    arguments = {"store": MemoryStore(), name: value}
    _names_it(lambda: SessionManager(**t.cast(t.Any, arguments)), name)


@fuzzed
@hypothesis.given(things)
@pytest.mark.parametrize("name", FLASK)
def test_flask(name: str, value: t.Any) -> None:
    _names_it(lambda: _from_flask({name: value}), name)


@fuzzed
@hypothesis.given(things)
@pytest.mark.parametrize("name", [*POLICY, *COOKIE])
def test_flask_parts(name: str, value: t.Any) -> None:
    setting = "SESSIONKIT_POLICY" if name in POLICY else "SESSIONKIT_COOKIE"
    _names_it(lambda: _from_flask({setting: {name: value}}), setting)


@fuzzed
@hypothesis.given(things)
@pytest.mark.parametrize("name", DJANGO)
def test_django(name: str, value: t.Any) -> None:
    _names_it(lambda: _from_django({name: value}), name, "SESSIONKIT")


# A callable makes the store; what it raises is its own.
@fuzzed
@hypothesis.given(things.filter(lambda value: not callable(value)))
@pytest.mark.parametrize("name", SECTIONS)
def test_django_sections(name: str, value: t.Any) -> None:
    _names_it(lambda: _from_django({"SESSIONKIT": {"STORE": "memory:", name: value}}), name)


@fuzzed
@hypothesis.given(things)
@pytest.mark.parametrize("name", [*POLICY, *(option for option in COOKIE if option != "name")])
def test_django_parts(name: str, value: t.Any) -> None:
    section = "POLICY" if name in POLICY else "COOKIE"
    given = {"SESSIONKIT": {"STORE": "memory:", section: {name: value}}}
    _names_it(lambda: _from_django(given), section)


@fuzzed
@hypothesis.given(things.filter(lambda value: not callable(value)))
@pytest.mark.parametrize("name", [*DJANGO, *SECTIONS])
def test_the_checks_of_django_find_what_is_wrong(name: str, value: t.Any) -> None:
    section = {"SESSIONKIT": {"STORE": "memory:", name: value}}

    with django_settings(**(section if name in SECTIONS else {name: value})):
        from django_sessionkit.checks import check_settings
        from django_sessionkit.registry import get_manager

        found = [message for message in check_settings() if message.is_serious()]

        try:
            get_manager()
        except ConfigurationError:
            assert found
            return

        assert not found


@fuzzed
@hypothesis.given(st.one_of(things, st.text().map(lambda text: f"redis://{text}")))
@hypothesis.example("redis://host:port/0")
@hypothesis.example("redis://[::1")
@hypothesis.example("sqlite:///\0")
@hypothesis.example("memory:?max_sessions=nan")
@hypothesis.example("sqlite:///x?margin=nan")
@hypothesis.example("redis://host/0?margin=inf")
@hypothesis.example("\udcff://x")
def test_store_urls(value: t.Any) -> None:
    if isinstance(value, str):
        from sessionkit.stores import open_store

        with contextlib.suppress(ConfigurationError):
            open_store(value)
