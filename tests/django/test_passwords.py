"""A new password ends the user's other sessions in the store, whoever has changed it."""

from __future__ import annotations

import typing as t

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.test import override_settings

from sessionkit.base_manager import BaseManager
from sessionkit.stores.memory import MemoryStore
from tests.spies import Spy

from .conftest import Site
from .conftest import session_of
from .conftest import use_middleware


class NoIndex:
    """A store that cannot list an owner's sessions."""

    def __init__(self) -> None:
        memory = MemoryStore()
        self.get, self.swap, self.delete = memory.get, memory.swap, memory.delete


def change(request: t.Any) -> None:
    request.user.set_password("other")
    request.user.save()
    update_session_auth_hash(request, request.user)


def who(request: t.Any) -> str:
    return request.user.username or "nobody"


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_new_password_ends_all_other_sessions(
    site: Site, user: User, manager: BaseManager
) -> None:
    site(change=change, who=who)
    here, there = logged_in(user), logged_in(user)
    assert len(manager.sessions_of(user.pk)) == 2

    here.get("/change")

    (left,) = manager.sessions_of(user.pk)
    assert left.public_id == session_of(here).public_id
    assert [client.get("/who").content for client in (here, there)] == [
        user.username.encode(),
        b"nobody",
    ]


def test_the_other_sessions_are_ended_when_the_transaction_is_committed(
    user: User, manager: BaseManager
) -> None:
    logged_in(user)

    for is_undone in (True, False):
        with transaction.atomic():
            user.set_password("other")
            user.save()
            assert len(manager.sessions_of(user.pk)) == 1
            transaction.set_rollback(is_undone)

        assert len(manager.sessions_of(user.pk)) == is_undone


def test_whoever_changes_anothers_password_stays_logged_in(
    site: Site, user: User, make_user: t.Any, manager: BaseManager
) -> None:
    def change_another(request: t.Any) -> None:
        user.set_password("other")
        user.save()

    admin = make_user()
    site(change=change_another)
    logged_in(user)
    logged_in(admin).get("/change")
    assert manager.sessions_of(user.pk) == []
    assert len(manager.sessions_of(admin.pk)) == 1


def test_a_command_ends_all_sessions(
    user: User, manager: BaseManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged_in(user)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "a new one")
    call_command("changepassword", user.username, verbosity=0)
    assert manager.sessions_of(user.pk) == []


@pytest.mark.parametrize("fields", [None, ["email"], ["last_login"]])
def test_what_changes_no_password_ends_nothing(
    user: User, manager: BaseManager, fields: list[str] | None
) -> None:
    logged_in(user)
    if fields:
        user.set_password("not saved")
    user.save(update_fields=fields)
    assert len(manager.sessions_of(user.pk)) == 1


def test_an_upgraded_hash_is_no_new_password(user: User, manager: BaseManager) -> None:
    logged_in(user)
    hashers = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    with override_settings(PASSWORD_HASHERS=hashers):
        assert authenticate(username=user.username, password="secret")
        user.refresh_from_db()
        assert user.password.startswith("pbkdf2")
    assert len(manager.sessions_of(user.pk)) == 1


def test_an_outage_does_not_keep_a_password(
    user: User, spy: Spy, manager: BaseManager, caplog: pytest.LogCaptureFixture
) -> None:
    logged_in(user)
    spy.down = True
    user.set_password("other")
    user.save()
    user.refresh_from_db()
    assert user.check_password("other")
    assert "StoreUnavailable" in caplog.text


def test_a_store_without_an_index_leaves_it_to_django(site: Site, user: User) -> None:
    with override_settings(SESSIONKIT={"STORE": NoIndex()}):
        site(change=change, who=who)
        here, there = logged_in(user), logged_in(user)
        here.get("/change")
        assert here.get("/who").content.decode() == user.username
        assert there.get("/who").content == b"nobody"


def test_under_djangos_own_middleware_it_is_left_to_django(
    site: Site, user: User, manager: BaseManager
) -> None:
    with use_middleware("stock"):
        site(change=change, who=who)
        here, there = logged_in(user), logged_in(user)
        here.get("/change")
        assert here.get("/who").content.decode() == user.username
        assert there.get("/who").content == b"nobody"
