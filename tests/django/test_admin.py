"""The admin of the model store: what it shows, to whom, and what it never shows."""

from __future__ import annotations

import collections.abc as cabc
import hashlib
import html
import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from django_sessionkit import get_manager
from django_sessionkit.model_store.models import Session

from .admin_site import FIREFOX
from .admin_site import LIST
from .admin_site import names
from .admin_site import owners
from .admin_site import page
from .admin_site import project
from .admin_site import staff
from .admin_site import table
from .admin_site import visitor
from .conftest import session_of


@pytest.fixture(autouse=True)
def _project(database: None) -> cabc.Generator[None, None, None]:
    with project():
        yield


@pytest.fixture
def viewer(user: User) -> Client:
    return staff(user, "view_session")


def detail(client: Client, owner: str) -> str:
    (name,) = names(client, q=owner)
    answer = client.get(f"{LIST}{name}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_row_says_whose_session_it_is_and_where(viewer: Client, user: User) -> None:
    visitor("ann@example.org", user_agent=FIREFOX)
    visitor("bob", label="Ноутбук 🎒 محمول")
    visitor()
    rows = {row[2]: row for row in table(viewer, state="live")}

    assert rows["ann@example.org"][:4] == ["Firefox on Linux", "-", "ann@example.org", "Live"]
    assert rows["ann@example.org"][6] == "127.0.0.1"
    assert rows["bob"][0] == "Ноутбук 🎒 محمول"
    assert rows["-"][:4] == ["Unknown device", "-", "-", "Live"]
    assert rows[str(user.pk)][1:4] == [user.username, str(user.pk), "Live This session"]


def test_hostile_devices_are_text(viewer: Client) -> None:
    attack = "<script>alert(1)</script>"
    visitor("ann", user_agent=attack, label="<b>")
    visitor("bob", user_agent=attack)
    visitor("cem", user_agent="x" * 10_000)
    shown = page(viewer) + detail(viewer, "ann") + detail(viewer, "bob") + detail(viewer, "cem")

    assert attack not in shown
    assert html.escape(attack) in shown
    assert "<b>" not in shown
    assert "x" * 257 not in shown


def test_the_page_of_a_session_has_names_and_sizes(viewer: Client) -> None:
    visitor("ann", user_agent=FIREFOX)
    shown = detail(viewer, "ann")
    key = re.search(r"<th><bdi>secret plan</bdi></th><td>(\d+)</td>", shown)
    assert key is not None
    assert 14 < int(key[1]) < 20
    assert html.escape(FIREFOX) in shown


def test_no_page_shows_an_id_a_key_or_a_value(viewer: Client) -> None:
    session_id = visitor("ann").cookies["sessionid"].value
    key = hashlib.sha256(session_id.encode()).hexdigest()
    (name,) = names(viewer, q="ann")
    pages = [page(viewer), page(viewer, _popup="1", _to_field="key", q="ann")]

    for which in ("change/", "history/"):
        answer = viewer.get(f"{LIST}{name}/{which}")
        assert answer.status_code == 200
        pages.append(answer.content.decode())

    assert key.startswith(name)

    for secret in (session_id, key[:17], "a marked value"):
        assert [shown for shown in pages if secret in shown] == []


def test_what_a_page_calls_a_session_does_not_work_as_a_cookie(viewer: Client) -> None:
    visitor("ann")
    (name,) = names(viewer, q="ann")
    (key,) = Session.objects.filter(owner="ann").values_list("key", flat=True)
    public_id = get_manager().sessions_of("ann")[0].public_id

    for useless in (name, key, public_id):
        thief = Client()
        thief.cookies["sessionid"] = useless
        assert session_of(thief).owner is None
        assert thief.get("/whose").content == b"None None"


def test_an_owner_is_found_in_full_and_a_user_by_name(viewer: Client, user: User) -> None:
    for name in ("ann", "ann lee", "anna"):
        visitor(name)

    assert owners(viewer, q="ann") == ["ann"]
    assert owners(viewer, q=" ann lee ") == ["ann lee"]
    assert owners(viewer, q="an") == []
    assert owners(viewer, q=user.username) == [str(user.pk)]
    assert owners(viewer, owner=str(user.pk)) == [str(user.pk)]
    assert owners(viewer, owner__isempty="0") == sorted(["ann", "ann lee", "anna", str(user.pk)])


@pytest.mark.parametrize(
    "owner", ["1" * 40, "1e400", "\N{ARABIC-INDIC DIGIT ONE}", "01", "x" * 255]
)
def test_an_owner_may_be_no_users_key(viewer: Client, owner: str) -> None:
    visitor(owner)
    assert [row[1:3] for row in table(viewer, q=owner)] == [["-", owner]]


@pytest.mark.parametrize(
    "query",
    ["payload__contains=a", "payload=a", "key__startswith=a", "key__gt=a", "version=1", "pk=a"],
)
def test_nothing_can_be_found_out_by_comparing(viewer: Client, query: str) -> None:
    assert viewer.get(f"{LIST}?{query}").status_code == 400


def test_nothing_can_be_added_changed_or_deleted(user: User) -> None:
    names_of_all = ["view_session", "add_session", "change_session", "delete_session"]
    client = staff(user, *names_of_all)
    visitor("ann")
    before = list(Session.objects.order_by("key").values_list("key", "payload"))
    (name,) = names(client, q="ann")

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{name}/change/", {"owner": "bob"}).status_code == 403
    assert client.post(f"{LIST}{name}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(LIST, {"action": "delete_selected", "_selected_action": name}).status_code
    assert list(Session.objects.order_by("key").values_list("key", "payload")) == before


@pytest.mark.parametrize("name", ["0" * 16, "0" * 64, "%2e%2e", "' OR 1=1", "_5F"])
def test_a_name_of_nothing_leads_to_the_index(viewer: Client, name: str) -> None:
    answer = viewer.get(f"{LIST}{name}/change/", follow=True)
    assert answer.redirect_chain[-1][0] == "/admin/"


def test_only_those_with_permission_see_it(user: User) -> None:
    client = staff(user)
    assert client.get(LIST).status_code == 403
    assert b"sessionkit_store" not in client.get("/admin/").content
    assert Client().get(LIST).status_code == 302


@pytest.mark.parametrize("store", ["memory:", "cookie:"])
def test_a_table_that_is_not_in_use_is_not_shown(user: User, store: str) -> None:
    sessionkit = {"STORE": store, "SECRETS": ["of the tests, long enough for it"]}

    with override_settings(SESSIONKIT=sessionkit):
        client = staff(user, "view_session", "delete_session")
        assert client.get(LIST).status_code == 403
        assert b"sessionkit_store" not in client.get("/admin/").content


def test_the_number_of_queries_does_not_grow(
    viewer: Client, make_user: cabc.Callable[[], User]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(viewer)

        return len(captured)

    few = queries()

    for _ in range(30):
        Client().force_login(make_user())

    assert len(table(viewer, state="live")) == 31
    assert queries() == few


def test_a_row_that_is_no_session_is_unreadable(viewer: Client) -> None:
    values = {"version": 1, "expires_at": 2e9}
    Session.objects.create(key="a" * 64, payload=b"", owner="a", **values)
    Session.objects.create(key="b" * 64, payload=b"\x01L\x00\x00", owner="b", **values)
    connection.cursor().execute(
        "INSERT INTO sessionkit_store_session VALUES (%s, 'text', 1, 2e9, 'c')", ["c" * 64]
    )
    assert [row[3] for owner in "abc" for row in table(viewer, q=owner)] == ["Unreadable"] * 3
    assert detail(viewer, "c")
