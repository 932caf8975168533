"""Django's sessions inside of their cookie: settings, both middlewares, users, the test client."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest
from django.contrib.auth import login
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.contrib.messages import success
from django.core import checks
from django.core.management import call_command
from django.test import override_settings

from django_sessionkit import get_manager
from django_sessionkit.checks import check_settings
from django_sessionkit.engine import SessionStore
from sessionkit import SealedSessionManager
from sessionkit import keys
from sessionkit.errors import ConfigurationError
from sessionkit.errors import CookieTooLarge

from .conftest import Site

SECRET = keys.new_key()


@pytest.fixture(params=["cookie:", "cookie:signed"], autouse=True)
def sealed(request: pytest.FixtureRequest) -> cabc.Iterator[None]:
    with override_settings(SESSIONKIT={"STORE": request.param, "SECRETS": [SECRET]}):
        yield


def put(request: t.Any) -> str:
    request.session["cart"] = [*request.session.get("cart", []), request.GET.get("value", "tea")]
    return "put"


def show(request: t.Any) -> object:
    return sorted(request.session.items())


def text(response: t.Any) -> str:
    assert response.status_code == 200
    return t.cast(str, response.content.decode())


def test_settings_make_a_sealed_manager() -> None:
    with override_settings(SESSION_COOKIE_NAME="shop", SESSION_COOKIE_AGE=3600):
        manager = get_manager()
        assert isinstance(manager, SealedSessionManager)
        assert manager.cookie.name == "shop"
        assert manager.policy.idle_timeout == 3600


@pytest.mark.usefixtures("middleware")
def test_requests_that_follow_each_other(site: Site) -> None:
    browser = site(put=put, show=show)
    browser.get("/put")
    browser.get("/put", {"value": "milk"})
    assert text(browser.get("/show")) == "[('cart', ['tea', 'milk'])]"


@pytest.mark.usefixtures("middleware")
def test_users(site: Site, user: User, make_user: cabc.Callable[[], User]) -> None:
    users = [user, make_user()]

    def log_in(request: t.Any) -> str:
        login(
            request, users[int(request.GET["number"])], "django.contrib.auth.backends.ModelBackend"
        )
        return "in"

    def log_out(request: t.Any) -> str:
        logout(request)
        return "out"

    def who(request: t.Any) -> str:
        return f"{request.user.pk} {request.session.owner}"

    browser = site(put=put, show=show, login=log_in, logout=log_out, who=who)
    browser.get("/put")

    for number in (0, 1):
        browser.get("/login", {"number": number})
        assert text(browser.get("/who")) == f"{users[number].pk} {users[number].pk}"

    assert "cart" not in text(browser.get("/show"))
    browser.get("/logout")
    assert text(browser.get("/who")) == "None None"


@pytest.mark.usefixtures("middleware")
def test_the_test_client_logs_in_and_looks_into_the_session(site: Site, user: User) -> None:
    browser = site(put=put, who=lambda request: request.user.pk)
    browser.force_login(user)
    assert text(browser.get("/who")) == str(user.pk)
    browser.get("/put")
    assert browser.session["cart"] == ["tea"]
    browser.logout()
    assert text(browser.get("/who")) == "None"


@pytest.mark.usefixtures("middleware")
def test_messages_are_shown_once(site: Site) -> None:
    def add(request: t.Any) -> str:
        success(request, "saved")
        return ""

    def read(request: t.Any) -> list[str]:
        return [str(message) for message in get_messages(request)]

    with override_settings(
        MESSAGE_STORAGE="django.contrib.messages.storage.session.SessionStorage"
    ):
        browser = site(add=add, read=read)
        browser.get("/add")
        assert text(browser.get("/read")) == "['saved']"
        assert text(browser.get("/read")) == "[]"


@pytest.mark.usefixtures("middleware")
def test_one_that_does_not_fit_is_an_error_of_the_application(site: Site) -> None:
    def large(request: t.Any) -> str:
        request.session["large"] = "x" * 4096
        return "not sent"

    browser = site(large=large)

    with pytest.raises(CookieTooLarge, match="large"):
        browser.get("/large")

    browser.raise_request_exception = False
    response = browser.get("/large")
    assert response.status_code == 500
    assert "sessionid" not in response.cookies


def test_the_engine_alone() -> None:
    session = SessionStore()
    session["a"] = 1
    session.save()
    key = session.session_key
    assert key is not None
    assert session.exists(key)
    assert SessionStore(key)["a"] == 1
    changed = SessionStore(key)
    changed["a"] = 2
    changed.save()
    assert changed.session_key != key, "it is the cookie's value"
    assert SessionStore(changed.session_key)["a"] == 2
    assert not session.exists("unknown-key")


def test_nothing_has_to_be_cleared() -> None:
    SessionStore.clear_expired()
    call_command("clearsessions")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"STORE": "cookie:"}, "SECRETS"),
        ({"STORE": "cookie:", "SECRETS": ["dev"]}, "SECRETS"),
        ({"STORE": "cookie:plain", "SECRETS": [SECRET]}, "STORE"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, t.Any], named: str) -> None:
    with override_settings(SESSIONKIT=settings):
        [found] = check_settings()
        assert found.level == checks.ERROR
        assert f"SESSIONKIT['{named}']" in found.msg

        with pytest.raises(ConfigurationError, match=named):
            get_manager()


def test_right_settings_pass_the_checks() -> None:
    assert check_settings() == []
