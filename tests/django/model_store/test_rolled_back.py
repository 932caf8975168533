"""Requests whose transaction is rolled back: an end stands, a creation is not announced."""

from __future__ import annotations

import asyncio
import collections.abc as cabc
import random
import time
import typing as t

from asgiref.sync import sync_to_async
from django.contrib.auth import login
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncClient

from django_sessionkit.engine import SessionStore
from django_sessionkit.model_store import ModelStore
from sessionkit import SessionManager
from sessionkit.testing._support import in_threads
from tests.django.conftest import Site
from tests.django.conftest import session_of
from tests.django.model_store.support import BACKEND
from tests.django.model_store.support import enter
from tests.django.model_store.support import put
from tests.django.model_store.support import roll_back
from tests.django.model_store.support import show


class TestRolledBackRequests:
    """What a request wants of its session does not depend on the application's transaction."""

    def test_a_logout_stands_though_the_view_fails(
        self, site: Site, store: ModelStore, user: User
    ) -> None:
        def leave(request: t.Any) -> t.NoReturn:
            logout(request)
            raise RuntimeError

        browser = site(enter=enter(user), leave=leave, show=show)
        browser.raise_request_exception = False
        browser.get("/enter")
        cookie = browser.cookies["sessionid"].value
        answer = browser.get("/leave")
        assert answer.status_code == 500
        assert answer.cookies["sessionid"]["max-age"] == 0
        assert SessionStore(cookie).load() == {}

    def test_a_session_of_a_transaction_that_was_rolled_back_exists(
        self, site: Site, store: ModelStore
    ) -> None:
        def create(request: t.Any) -> str:
            request.session["a"] = 1
            request.session.create()
            roll_back()
            return str(request.session.session_key)

        browser = site(create=create, show=show)
        answer = browser.get("/create")
        assert answer.content.decode() == answer.cookies["sessionid"].value
        assert browser.get("/show").content == b"['a']"

    def test_a_new_key_is_known_before_it_is_stored(
        self, site: Site, manager: SessionManager, user: User
    ) -> None:
        def renew(request: t.Any) -> str:
            before = request.session.session_key
            request.session.cycle_key()
            assert request.session.session_key != before
            roll_back()
            return str(request.session.session_key)

        browser = site(put=put, renew=renew, show=show)
        browser.get("/put")
        old = browser.cookies["sessionid"].value
        answer = browser.get("/renew")
        assert answer.content.decode() == answer.cookies["sessionid"].value
        assert browser.get("/show").content == b"['a']"
        assert manager.load(old) is None

    def test_a_login_that_was_rolled_back_with_another_answer_is_one(
        self, site: Site, manager: SessionManager, user: User
    ) -> None:
        def refuse(request: t.Any) -> HttpResponse:
            login(request, user, BACKEND)
            roll_back()
            return HttpResponse(status=403)

        browser = site(put=put, refuse=refuse)
        browser.get("/put")
        browser.get("/refuse")
        assert len(manager.sessions_of(user.pk)) == 1
        assert session_of(browser)["a"] == 1

    def test_nothing_is_announced_that_an_error_has_undone(
        self, site: Site, store: ModelStore
    ) -> None:
        def fail(request: t.Any) -> t.NoReturn:
            request.session["a"] = 1
            request.session.save()
            raise RuntimeError

        browser = site(fail=fail)
        browser.raise_request_exception = False
        assert "sessionid" not in browser.get("/fail").cookies
        assert store.count(time.time()) == 0

    def test_the_other_sessions_of_a_user_stay_ended(
        self, site: Site, manager: SessionManager, user: User
    ) -> None:
        def revoke(request: t.Any) -> int:
            ended = manager.revoke_all(user.pk)
            roll_back()
            return ended

        browser = site(enter=enter(user), revoke=revoke)
        browser.get("/enter")
        # By somebody who has no session, as who has forgotten the password.
        assert site.browser().get("/revoke").content == b"1"
        assert manager.sessions_of(user.pk) == []
        assert session_of(browser).ended_reason == "revoked"

    def test_another_session_that_was_flushed_stays_ended(
        self, site: Site, store: ModelStore
    ) -> None:
        def end(request: t.Any) -> None:
            SessionStore(request.GET["session"]).flush()
            roll_back()

        browser = site(put=put, end=end)
        browser.get("/put")
        key = browser.cookies["sessionid"].value
        browser.get(f"/end?session={key}")
        assert SessionStore(key).load() == {}

    def test_flush_and_create_leave_an_empty_session(
        self, site: Site, manager: SessionManager
    ) -> None:
        def anew(request: t.Any) -> str:
            request.session.flush()
            assert request.session.session_key is None
            request.session.create()
            return str(request.session.session_key)

        browser = site(put=put, anew=anew)
        browser.get("/put")
        old = browser.cookies["sessionid"].value
        new = browser.get("/anew").content.decode()
        assert browser.cookies["sessionid"].value == new
        assert manager.load(new) is not None
        assert manager.load(old) is None

    def test_another_user_does_not_inherit_the_data(
        self, site: Site, manager: SessionManager, make_user: cabc.Callable[[], User]
    ) -> None:
        alice, bob = make_user(), make_user()
        browser = site(alice=enter(alice), put=put, bob=enter(bob), show=show)
        browser.get("/alice")
        browser.get("/put")
        browser.get("/bob")
        assert manager.sessions_of(alice.pk) == []
        assert len(manager.sessions_of(bob.pk)) == 1
        assert b"'a'" not in browser.get("/show").content


def test_transactions_that_are_rolled_back_at_random_lose_nothing(
    site: Site, store: ModelStore
) -> None:
    dice = random.Random(4)

    def count(request: t.Any) -> HttpResponse:
        request.session.mutate("n", lambda n: n + 1, 0)

        if dice.random() < 0.5:
            request.session.save()

        if dice.random() < 0.5:
            roll_back()

        return HttpResponse(status=dice.choice([200, 403]))

    browser = site(put=put, count=count)
    browser.get("/put")
    answers: list[int] = []

    def visit() -> None:
        other = site.browser()
        other.cookies["sessionid"] = browser.cookies["sessionid"].value
        answers.extend(other.get("/count").status_code for _ in range(10))
        connections.close_all()

    in_threads([visit] * 4)
    assert set(answers) == {200, 403}
    assert session_of(browser)["n"] == len(answers) == 40


def test_under_asgi_an_end_stands_though_the_view_fails(
    site: Site, store: ModelStore, manager: SessionManager
) -> None:
    def end(request: t.Any) -> t.NoReturn:
        request.session.flush()
        raise RuntimeError

    site(put=put, end=end)

    async def visit() -> None:
        browser = AsyncClient(raise_request_exception=False)
        await browser.get("/put")
        assert (await sync_to_async(manager.count)()).live == 1
        answer = await browser.get("/end")
        assert (answer.status_code, answer.cookies["sessionid"]["max-age"]) == (500, 0)
        assert (await sync_to_async(manager.count)()).live == 0
        await sync_to_async(connections.close_all)()

    asyncio.run(visit())
