"""One login for Django, Flask and plain WSGI: the owner of one session."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest
import werkzeug.test
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import RequestFactory
from django.test import override_settings

from django_sessionkit import get_manager
from django_sessionkit.auth import OwnerBackend
from django_sessionkit.auth import get_user
from django_sessionkit.engine import SessionStore
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit.base_manager import BaseManager
from sessionkit.stores.memory import MemoryStore
from tests.spies import Spy

from .conftest import Site
from .conftest import session_of


def who(request: t.Any) -> str:
    return request.user.username or "nobody"


def elsewhere(owner: object) -> str:
    """Log in outside of Django; return the key."""
    session = get_manager().start()
    session.bind(str(owner))
    session.save()
    return SessionStore(session.draft.origin.session_id).session_key or ""


def test_a_login_elsewhere_is_known(site: Site, spy: Spy, user: User) -> None:
    browser = site(who=who)
    browser.cookies["sessionid"] = elsewhere(user.pk)
    assert browser.get("/who").content.decode() == user.username
    assert list(session_of(browser).keys()) == []


def test_a_logout_here_is_one_everywhere(site: Site, manager: BaseManager, user: User) -> None:
    browser = site(leave=logout)
    browser.cookies["sessionid"] = elsewhere(user.pk)
    browser.get("/leave")
    assert manager.sessions_of(user.pk) == []


def test_a_logout_elsewhere_is_one_here(site: Site, spy: Spy, user: User) -> None:
    browser = site(who=who)
    browser.force_login(user)
    session = session_of(browser).core
    session.unbind()
    session.save()
    assert browser.get("/who").content == b"nobody"


@pytest.mark.parametrize("owner", ["nobody-of-ours", "0", "9" * 200])
def test_an_owner_who_is_no_user_is_nobody(
    site: Site, spy: Spy, database: None, owner: str
) -> None:
    browser = site(who=who)
    browser.cookies["sessionid"] = elsewhere(owner)
    assert browser.get("/who").content == b"nobody"


def test_an_inactive_user_is_nobody(site: Site, spy: Spy, user: User) -> None:
    user.is_active = False
    user.save()
    browser = site(who=who)
    browser.cookies["sessionid"] = elsewhere(user.pk)
    assert browser.get("/who").content == b"nobody"


def test_without_the_backend_a_login_elsewhere_means_nothing(
    site: Site, spy: Spy, user: User
) -> None:
    browser = site(who=who)
    browser.cookies["sessionid"] = elsewhere(user.pk)

    with override_settings(AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"]):
        assert browser.get("/who").content == b"nobody"


def test_a_session_that_contradicts_itself_is_ended(
    site: Site, manager: BaseManager, make_user: cabc.Callable[[], User]
) -> None:
    alice, bob = make_user(), make_user()
    browser = site(who=who)
    browser.force_login(alice)
    session = session_of(browser).core
    # Nobody who uses the interface could do this.
    session.draft.owner = str(bob.pk)
    session.save()
    assert browser.get("/who").content == b"nobody"
    assert manager.sessions_of(bob.pk) == []


def test_the_user_is_looked_up_once_and_only_if_it_is_used(
    spy: Spy, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []

    def user_of(self: OwnerBackend, owner: str) -> User:
        looked_up.append(owner)
        return user

    monkeypatch.setattr(OwnerBackend, "user_of", user_of)
    request = RequestFactory().get("/")
    request.session = SessionStore(elsewhere(user.pk))
    assert get_user(request) is get_user(request)
    assert looked_up == [str(user.pk)]


def around(site: Site, manager: BaseManager, **views: t.Any) -> werkzeug.test.Client:
    """Return a browser of the same views with our WSGI middleware around Django."""
    site(**views)
    return werkzeug.test.Client(SessionMiddleware(WSGIHandler(), manager))


def test_a_session_opened_around_django_is_the_same(site: Site, spy: Spy) -> None:
    def put(request: t.Any) -> HttpResponse:
        session = request.environ["sessionkit.session"]
        assert session is request.session.core
        request.session["a"] = 1
        session["b"] = 2
        return HttpResponse()

    def show(request: t.Any) -> object:
        return sorted(request.session.items())

    browser = around(site, get_manager(), put=put, show=show)
    response = browser.get("/put")
    assert len(response.headers.getlist("Set-Cookie")) == 1
    assert response.headers.getlist("Vary") == ["Cookie"]
    assert browser.get("/show").text == "[('a', 1), ('b', 2)]"
    assert spy.last_calls() == ["swap", "get"]


def test_the_user_is_the_owner_there_as_well(site: Site, spy: Spy, user: User) -> None:
    def enter(request: t.Any) -> None:
        from django.contrib.auth import login

        login(request, user, "django.contrib.auth.backends.ModelBackend")

    browser = around(site, get_manager(), enter=enter, who=who, leave=logout)
    browser.get("/enter")
    assert browser.get("/who").text == user.username
    assert len(get_manager().sessions_of(user.pk)) == 1
    assert "Max-Age=0" in browser.get("/leave").headers["Set-Cookie"]


def test_every_request_is_saved_there_as_well(site: Site, spy: Spy) -> None:
    def put(request: t.Any) -> None:
        request.session["a"] = 1

    browser = around(site, get_manager(), put=put, idle=lambda request: "idle")
    browser.get("/put")
    spy.last_calls()

    with override_settings(SESSION_SAVE_EVERY_REQUEST=True):
        browser = werkzeug.test.Client(SessionMiddleware(WSGIHandler(), get_manager()))
        browser.get("/put")
        spy.last_calls()
        browser.get("/idle")

    assert spy.last_calls() == ["get", "swap"]


def test_another_manager_around_django_is_a_mistake(
    site: Site, spy: Spy, caplog: pytest.LogCaptureFixture
) -> None:
    other = SessionManager(MemoryStore(), cookie=get_manager().cookie)
    assert around(site, other, who=who).get("/who").status_code == 500
    assert "two session managers" in caplog.text
