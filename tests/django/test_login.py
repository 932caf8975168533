"""``django.contrib.auth`` on our sessions: its user is the session's owner."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import SESSION_KEY
from django.contrib.auth import authenticate
from django.contrib.auth import login
from django.contrib.auth import logout
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpResponse
from django.test import Client
from django.test import override_settings

from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from sessionkit.base_manager import BaseManager
from tests.spies import Spy

from .conftest import Site
from .conftest import session_of

pytestmark = pytest.mark.usefixtures("middleware")


def who(request: t.Any) -> str:
    return request.user.username or "nobody"


def enter(request: t.Any) -> object:
    before = request.session.session_key
    user = authenticate(request, username=request.GET["name"], password="secret")
    login(request, user)
    request.session["entered"] = 1
    assert request.session.session_key != before
    return request.session.session_key


def leave(request: t.Any) -> None:
    logout(request)


def owners(manager: BaseManager, user: User) -> int:
    return len(manager.sessions_of(user.pk))


def copy_of(browser: Client) -> Client:
    other = Client()
    other.cookies.update(browser.cookies)
    return other


@pytest.mark.usefixtures("store")
def test_whoever_logs_in_owns_the_session(site: Site, user: User) -> None:
    browser = site(enter=enter, who=who, leave=leave)
    key = browser.get(f"/enter?name={user.username}").content.decode()
    assert session_of(browser).session_key == key
    assert session_of(browser).owner == str(user.pk)
    assert browser.get("/who").content.decode() == user.username
    assert owners(get_manager(), user) == 1
    browser.get("/leave")
    assert owners(get_manager(), user) == 0
    assert browser.get("/who").content == b"nobody"


def test_data_of_before_the_login_stays(site: Site, user: User, spy: Spy) -> None:
    def put(request: t.Any) -> None:
        request.session["cart"] = ["tea"]

    browser = site(enter=enter, put=put)
    browser.get("/put")
    old = session_of(browser).session_key
    browser.get(f"/enter?name={user.username}")
    assert session_of(browser)["cart"] == ["tea"]
    assert not session_of(browser).exists(old)


def test_a_login_moves_the_session_once_and_writes_it_once(
    site: Site, user: User, spy: Spy
) -> None:
    def put(request: t.Any) -> None:
        request.session["cart"] = ["tea"]

    browser = site(enter=enter, put=put)
    browser.get("/put")
    spy.last_calls()
    browser.get(f"/enter?name={user.username}")
    assert spy.last_calls() == ["get", "move", "swap"]


def test_another_user_finds_nothing_of_the_one_before(
    site: Site, make_user: cabc.Callable[[], User], manager: BaseManager
) -> None:
    def put(request: t.Any) -> None:
        request.session["diary"] = "private"

    alice, bob = make_user(), make_user()
    browser = site(enter=enter, put=put)
    browser.get(f"/enter?name={alice.username}")
    browser.get("/put")
    browser.get(f"/enter?name={bob.username}")
    assert "diary" not in session_of(browser)
    assert session_of(browser)["entered"] == 1
    assert session_of(browser).owner == str(bob.pk)
    assert (owners(manager, alice), owners(manager, bob)) == (0, 1)


def test_a_user_put_there_by_hand_owns_the_session_and_nothing_else_stays(
    make_user: cabc.Callable[[], User], manager: BaseManager
) -> None:
    alice, bob = make_user(), make_user()
    session = SessionStore()
    session.update({SESSION_KEY: str(alice.pk), "diary": "private"})
    session.save()
    old = session.session_key
    session.update({SESSION_KEY: str(bob.pk), "mine": 1})
    session.save()
    assert session.owner == str(bob.pk)
    assert session.load() == {SESSION_KEY: str(bob.pk), "mine": 1}
    assert not session.exists(old)


def test_without_its_user_a_session_is_nobodys(user: User, manager: BaseManager) -> None:
    session = SessionStore()
    session.update({SESSION_KEY: str(user.pk), "diary": "private"})
    session.save()
    old = session.session_key
    del session[SESSION_KEY]
    session["bye"] = 1
    session.save()
    assert session.owner is None
    assert session.load() == {"bye": 1}
    assert not session.exists(old)
    assert owners(manager, user) == 0


def test_revoked_everywhere(site: Site, user: User, manager: BaseManager) -> None:
    browser = site(enter=enter, who=who)
    browser.get(f"/enter?name={user.username}")
    assert manager.revoke_all(user.pk) == 1
    assert browser.get("/who").content == b"nobody"


def test_the_test_client_logs_in_and_out(site: Site, user: User, manager: BaseManager) -> None:
    browser = site(who=who)
    browser.force_login(user)
    assert browser.get("/who").content.decode() == user.username
    assert owners(manager, user) == 1
    browser.logout()
    assert browser.get("/who").content == b"nobody"
    assert owners(manager, user) == 0
    assert browser.login(username=user.username, password="secret")
    assert browser.get("/who").content.decode() == user.username


def test_a_login_form_sent_twice_ends_logged_in_whichever_answer_is_kept(
    site: Site, user: User, spy: Spy
) -> None:
    def enter_twice(request: t.Any) -> HttpResponse:
        request.session.get("a")

        if "inner" not in request.GET:
            others.append(copy_of(browser))
            others[0].get("/enter?inner")

        login(request, user, "django.contrib.auth.backends.ModelBackend")
        return HttpResponse()

    def put(request: t.Any) -> None:
        request.session["a"] = 1

    others: list[Client] = []
    browser = site(enter=enter_twice, put=put, who=who)
    browser.get("/put")
    browser.get("/enter")

    for kept in (browser, *others):
        assert kept.get("/who").content.decode() == user.username


def test_after_a_change_of_secret_all_parallel_requests_know_their_user(
    site: Site, user: User, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(self: SessionStore) -> None:
        """Let two others renew between this request's look at its user and its renewal."""
        if not started:
            started.append(1)
            answers.extend(copy_of(browser).get("/who") for _ in range(2))

        cycle_key(self)

    started: list[int] = []
    answers: list[t.Any] = []
    cycle_key = SessionStore.cycle_key
    browser = site(who=who)
    browser.force_login(user)
    late = copy_of(browser)

    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=["of the tests"]):
        monkeypatch.setattr(SessionStore, "cycle_key", at_once)
        loser = browser.get("/who")
        winner, stub = answers
        assert winner.content == loser.content == user.username.encode()
        # It came after the renewal, with the old id: nobody, but no harm done.
        assert stub.content == b"nobody"
        assert "sessionid" in winner.cookies
        assert "sessionid" not in loser.cookies
        assert "sessionid" not in stub.cookies
        late.cookies.update(winner.cookies)
        assert late.get("/who").content == user.username.encode()


def test_a_new_password_keeps_this_session_alone(site: Site, user: User, spy: Spy) -> None:
    def change(request: t.Any) -> None:
        request.user.set_password("other")
        request.user.save()
        update_session_auth_hash(request, request.user)

    browser = site(change=change, who=who)
    other = site.browser()
    browser.force_login(user)
    other.force_login(user)
    browser.get("/change")
    assert browser.get("/who").content.decode() == user.username
    assert other.get("/who").content == b"nobody"


def test_an_asynchronous_login(user: User, manager: BaseManager) -> None:
    async def use() -> None:
        from django.contrib.auth import alogin
        from django.http import HttpRequest

        request = HttpRequest()
        request.session = t.cast(SessionBase, SessionStore())
        await alogin(request, user, "django.contrib.auth.backends.ModelBackend")
        await request.session.asave()
        assert request.session.owner == str(user.pk)  # type: ignore[attr-defined]

    # In this thread, whose database it is.
    async_to_sync(use)()
    assert owners(manager, user) == 1
