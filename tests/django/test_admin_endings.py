"""Ending sessions in the admin: who may, which ones, and what is left of it."""

from __future__ import annotations

import collections.abc as cabc
import re
import typing as t

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from django_sessionkit import get_manager
from django_sessionkit.model_store.models import Session
from django_sessionkit.transactions import TransactionalManager
from sessionkit import signals
from sessionkit.testing import login

from .admin_site import LIST
from .admin_site import end
from .admin_site import is_alive
from .admin_site import names
from .admin_site import page
from .admin_site import project
from .admin_site import staff
from .admin_site import submit
from .admin_site import table
from .admin_site import visitor
from .conftest import session_of

OWN = "Your own session goes on. Log out as usual."


@pytest.fixture(autouse=True)
def _project(database: None) -> cabc.Generator[None, None, None]:
    with project():
        LogEntry.objects.all().delete()
        yield


@pytest.fixture
def operator(user: User) -> Client:
    return staff(user, "view_session", "delete_session")


def test_those_that_were_selected_are_ended(operator: Client) -> None:
    ann, also_ann, bob, other = (visitor(name) for name in ("ann", "ann", "bob", "cem"))
    selected = names(operator, q="ann") + names(operator, q="bob")

    assert end(operator, *selected) == "3 sessions were ended."
    assert [is_alive(one) for one in (ann, also_ann, bob, other)] == [False] * 3 + [True]


def test_the_log_says_whose_and_holds_no_id(operator: Client, user: User) -> None:
    browsers = [visitor("ann"), visitor("ann"), visitor(), visitor(str(user.pk))]
    page(operator)
    secrets = [browser.cookies["sessionid"].value for browser in browsers]
    secrets += [info.public_id for info in get_manager().sessions_of("ann")]
    secrets += names(operator)
    end(operator, *names(operator, state="live"))
    entries = list(LogEntry.objects.all())

    assert {str(entry) for entry in entries} == {
        "Deleted “2 sessions of ann.”",
        "Deleted “1 session without owner.”",
        f"Deleted “1 session of {user.username}.”",
    }
    logged = repr(list(LogEntry.objects.values()))
    assert [secret for secret in secrets if secret in logged] == []
    assert [entry.object_id for entry in entries] == [None] * 3
    assert operator.get("/admin/").status_code == 200


def test_who_was_ended_is_told_why(operator: Client) -> None:
    browser = visitor("ann")
    end(operator, *names(operator, q="ann"))
    late = session_of(browser)
    assert late.get("secret plan") is None
    assert late.core.ended_reason == "revoked"
    assert "Ended: revoked" in [row[3] for row in table(operator, state="ended")]


def test_a_session_without_owner_is_ended(operator: Client) -> None:
    nobody = visitor()
    assert is_alive(nobody)
    (name,) = names(operator, state="live", owner__isempty="1")

    assert end(operator, name) == "1 session was ended."
    assert not is_alive(nobody)


def test_all_others_are_ended_and_ones_own_goes_on(operator: Client, user: User) -> None:
    others = [visitor("ann") for _ in range(60)]
    colleague = Client()
    colleague.force_login(user)
    said = end(operator, everything=True, state="live")

    assert said == f"61 sessions were ended. {OWN}"
    assert not any(is_alive(other) for other in others)
    assert colleague.get("/whose").content == b"None None"
    assert [row[3] for row in table(operator, state="live")] == ["Live This session"]


def test_all_of_what_a_filter_shows_is_not_all(operator: Client) -> None:
    ann, bob = visitor("ann"), visitor("bob")
    assert end(operator, everything=True, q="ann") == "1 session was ended."
    assert (is_alive(ann), is_alive(bob)) == (False, True)


@pytest.mark.parametrize("query", ["state=all", "seen=ever", "state=", "owner__isempty=x"])
def test_a_filter_that_does_not_exist_selects_nothing(operator: Client, query: str) -> None:
    ann = visitor("ann")
    operator.post(
        f"{LIST}?{query}",
        {"action": "end_selected", "select_across": "1", "_selected_action": "0" * 16},
    )
    assert is_alive(ann)


def test_from_its_page(operator: Client, user: User) -> None:
    ann = visitor("ann")
    (name,) = names(operator, q="ann")
    shown = operator.get(f"{LIST}{name}/change/").content.decode()
    form = shown[shown.index(f'<form method="post" action="{LIST}">') :].partition("</form>")[0]
    values = dict(re.findall(r'name="([^"]+)" value="([^"]+)"', form))
    assert submit(operator, values) == "1 session was ended."
    assert not is_alive(ann)

    (own,) = names(operator, q=str(user.pk), state="live")
    assert "End this session" not in operator.get(f"{LIST}{own}/change/").content.decode()


def test_forms_need_their_token(user: User) -> None:
    ann = visitor("ann")
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = staff(user, "view_session", "delete_session").cookies
    (name,) = names(careful, q="ann")
    form = {"action": "end_selected", "_selected_action": name}
    assert careful.post(LIST, form).status_code == 403
    assert is_alive(ann)


def test_looking_does_not_allow_to_end(user: User) -> None:
    viewer = staff(user, "view_session")
    ann = visitor("ann")
    (name,) = names(viewer, q="ann")

    assert "End " not in page(viewer)
    assert "End this session" not in viewer.get(f"{LIST}{name}/change/").content.decode()
    viewer.post(LIST, {"action": "end_selected", "_selected_action": name})
    assert is_alive(ann)


def test_ending_does_not_allow_to_look(user: User) -> None:
    client = staff(user, "delete_session")
    assert client.get(LIST).status_code == 403
    assert client.post(LIST, {"action": "end_selected", "select_across": "1"}).status_code == 403


def test_what_a_login_has_left_does_not_lead_to_what_replaced_it(operator: Client) -> None:
    browser = visitor()
    login(browser, "ann")
    stubs = names(operator, state="ended")

    assert end(operator, *stubs) == f"{len(stubs)} sessions were over already."
    assert browser.get("/whose").content.startswith(b"ann")


def test_what_is_gone_is_not_ended_again(operator: Client) -> None:
    ann = visitor("ann")
    (name,) = names(operator, q="ann")
    Session.objects.filter(owner="ann").delete()
    assert end(operator, name) == "What was selected is gone already."
    assert end(operator, "'; --") == "What was selected is gone already."
    assert not is_alive(ann)


def test_what_has_become_somebodys_meanwhile_goes_on() -> None:
    manager = t.cast(TransactionalManager, get_manager())
    browser = visitor()
    (key,) = Session.objects.values_list("key", flat=True)
    login(browser, "ann")
    assert manager.end_stored(key, None) is False
    assert manager.end_stored(key, "bob") is False
    assert browser.get("/whose").content.startswith(b"ann")
    reasons: list[t.Any] = []

    def note(sender: object, **values: t.Any) -> None:
        reasons.append((sender, values["session"], values["reason"]))

    with signals.destroyed.connected_to(note):
        assert manager.end_stored(key, "ann") is True
        assert manager.end_stored(key, "ann") is False

    assert reasons == [(manager, None, "revoked")]
    assert browser.get("/whose").content == b"None None"
