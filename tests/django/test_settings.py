"""``SESSIONKIT`` and Django's own settings, and the checks of them."""

from __future__ import annotations

import datetime
import enum
import pprint
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.views.debug import get_default_exception_reporter_filter

from django_sessionkit import StoreURL
from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from sessionkit import CookieOptions
from sessionkit import SessionPolicy
from sessionkit.errors import ConfigurationError
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.sqlite import SQLiteStore

DAY = 24 * 60 * 60
PASSWORD = "redis://web:hunter2@cache:6379/0"


class Colour(enum.Enum):
    RED = "red"


def make_store() -> MemoryStore:
    return MemoryStore()


def checked() -> list[str]:
    return [str(message.id) for message in run_checks() if "sessionkit" in str(message.id)]


def test_defaults() -> None:
    policy, cookie = get_manager().policy, get_manager().cookie
    assert policy.idle_timeout == 14 * DAY
    assert policy.absolute_timeout == 90 * DAY
    assert policy.ownerless_timeout is None
    assert policy.transient is False
    assert policy.form_tokens == ("_csrftoken",)
    assert cookie == CookieOptions(name="sessionid")
    assert checked() == []


@override_settings(
    SESSION_COOKIE_NAME="mine",
    SESSION_COOKIE_PATH="/app/",
    SESSION_COOKIE_DOMAIN=".example.com",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_HTTPONLY=False,
    SESSION_COOKIE_SAMESITE=False,
    SESSION_COOKIE_AGE=365 * DAY,
    SESSION_EXPIRE_AT_BROWSER_CLOSE=True,
)
def test_djangos_settings_are_read() -> None:
    manager = get_manager()
    assert manager.cookie == CookieOptions(
        name="mine", path="/app/", domain=".example.com", secure=True, httponly=False, samesite=None
    )
    assert manager.policy.idle_timeout == manager.policy.absolute_timeout == 365 * DAY
    assert manager.policy.transient


@pytest.mark.parametrize(
    "policy",
    [{"idle_timeout": datetime.timedelta(hours=1)}, SessionPolicy(idle_timeout=3600)],
)
def test_our_own_win(policy: t.Any) -> None:
    cookie = {"samesite": "Strict", "secure": True}

    with override_settings(SESSIONKIT={"STORE": "memory:", "POLICY": policy, "COOKIE": cookie}):
        assert get_manager().policy.idle_timeout == 3600
        assert get_manager().cookie.samesite == "Strict"


@pytest.mark.parametrize(
    "store", ["memory:", make_store, f"{__name__}.make_store", make_store(), {"env": "STORE"}]
)
def test_ways_to_name_a_store(store: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", "memory:")

    with override_settings(SESSIONKIT={"STORE": store}):
        assert isinstance(t.cast(t.Any, get_manager()).store, MemoryStore)


def test_the_default_is_a_file_beside_the_project(tmp_path: Path) -> None:
    folder = tmp_path / "100% öä#?"
    folder.mkdir()

    with override_settings(SESSIONKIT={}, BASE_DIR=folder):
        SessionStore().save()
        store = t.cast(t.Any, get_manager()).store
        assert isinstance(store, SQLiteStore)
        assert Path(store.path) == folder / "sessionkit.sqlite3"
        assert Path(store.path).exists()


def test_the_applications_own_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "db.sqlite3"
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file}}

    with override_settings(SESSIONKIT={"STORE": f"sqlite:///{file}"}):
        settings.DATABASES, kept = databases, settings.DATABASES

        try:
            with pytest.raises(ImproperlyConfigured, match="DATABASES"):
                get_manager()

            assert checked() == ["sessionkit.E002"]
        finally:
            settings.DATABASES = kept


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"STROE": "memory:"}, "STROE"),
        ({"STORE": "memory:", "POLICY": {"idle": 1}}, "idle"),
        ({"STORE": "memory:", "POLICY": {"idle_timeout": -1}}, "idle_timeout"),
        ({"STORE": "memory:", "POLICY": []}, "POLICY"),
        ({"STORE": "memory:", "COOKIE": {"name": "sid"}}, "SESSION_COOKIE_NAME"),
        ({"STORE": "memory:", "COOKIE": {"samesite": "lax"}}, "samesite"),
        ({"STORE": "memory:", "SECRETS": "secret"}, "SECRETS"),
        ({"STORE": "memory:", "SECRETS": []}, "SECRETS"),
        ({"STORE": "memory:", "TYPES": ["no.such.type"]}, "TYPES"),
        ({"STORE": "mongodb://db"}, "STORE"),
        ({"STORE": "no.such.store"}, "STORE"),
        ({"STORE": {"env": "NOT_SET"}}, "NOT_SET"),
        ({"STORE": {"url": "memory:"}}, "env"),
        ({}, "BASE_DIR"),
        ("memory:", "SESSIONKIT"),
    ],
)
def test_a_wrong_setting_is_named(wrong: t.Any, named: str) -> None:
    with override_settings(SESSIONKIT=wrong):
        with pytest.raises(ImproperlyConfigured, match=named) as caught:
            get_manager()

        assert isinstance(caught.value, ConfigurationError)
        assert checked() in (["sessionkit.E001"], ["sessionkit.E002"])


def test_types_are_named_or_given() -> None:
    for types in ([Colour], [f"{__name__}.Colour"]):
        with override_settings(SESSIONKIT={"STORE": "memory:", "TYPES": types}):
            session = SessionStore()
            session["colour"] = Colour.RED
            session.save()
            assert SessionStore(session.session_key)["colour"] is Colour.RED


def test_sessions_outlive_the_change_of_another_setting() -> None:
    session = SessionStore()
    session["a"] = 1
    session.save()

    with override_settings(SESSION_COOKIE_AGE=60):
        assert get_manager().policy.idle_timeout == 60
        assert SessionStore(session.session_key)["a"] == 1


def test_a_password_is_hidden_from_the_error_page() -> None:
    shown = get_default_exception_reporter_filter()
    url = StoreURL(PASSWORD)

    with override_settings(SESSIONKIT={"STORE": url, "SECRETS": ["s3cret"]}):
        page = pprint.pformat(shown.get_safe_settings()["SESSIONKIT"])
        assert checked() == []

    assert "hunter2" not in page
    assert "s3cret" not in page
    assert "cache:6379" in page
    assert url == PASSWORD


def test_checks_warn() -> None:
    with override_settings(SESSIONKIT={"STORE": PASSWORD}):
        assert checked() == ["sessionkit.W001"]

    pickle = "django.contrib.sessions.serializers.PickleSerializer"

    with override_settings(SESSION_SERIALIZER=pickle):
        assert checked() == ["sessionkit.W002"]


def test_the_admin_accepts_our_middlewares() -> None:
    from django.contrib.admin import checks

    found = [message.id for message in checks.check_dependencies()]
    assert not {"admin.E408", "admin.E410"} & set(found)


def test_a_settings_file_may_import_us() -> None:
    subprocess.run([sys.executable, "-c", "from django_sessionkit import StoreURL"], check=True)
