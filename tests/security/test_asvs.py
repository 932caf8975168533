"""OWASP ASVS 5.0, chapter V7 "Session Management", by number.

What an application alone can do has no test here; it is in ``APPLICATIONS`` with what helps.
"""

from __future__ import annotations

import ast
import base64
import datetime
import inspect
import os
import re
import typing as t
from pathlib import Path

import pytest

from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import Store
from sessionkit.stores import open_store
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from tests.security.conftest import MakeSite
from tests.security.sites import KINDS
from tests.security.sites import Jar
from tests.security.sites import Query
from tests.security.sites import Site
from tests.security.sites import site_of

DOCS = Path(__file__).parents[2] / "docs"

NUMBERS = {1: 3, 2: 4, 3: 2, 4: 5, 5: 3, 6: 2}

#: Requirements that are the application's, and what there is to meet them with.
APPLICATIONS = {
    "7.1.3": "which systems share a login; the store and the secrets decide that here",
    "7.4.4": "a way out on each page: session.destroy()",
}


def log_in(site: Site, user: str = "alice") -> Jar:
    jar = site.jar()
    jar.get("/login", {"user": user})
    return jar


def who(*jars: Jar) -> list[str]:
    return [jar.get("/whoami").body for jar in jars]


def test_every_requirement_has_a_test_or_a_reason() -> None:
    tree = ast.parse(Path(__file__).read_text("utf-8"))
    names = " ".join(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    tested = {number.replace("_", ".") for number in re.findall(r"(7_\d_\d)", names)}
    wanted = {f"7.{part}.{n + 1}" for part, count in NUMBERS.items() for n in range(count)}
    assert tested | {*APPLICATIONS} == wanted
    assert not tested & {*APPLICATIONS}


def test_7_1_1_the_limits_are_documented_and_where_they_differ_from_nist() -> None:
    page = (DOCS / "settings.md").read_text("utf-8")
    policy = SessionPolicy()

    for name in ("idle_timeout", "absolute_timeout", "ownerless_timeout"):
        assert f"| `{name}` | `{getattr(policy, name)}` |" in page

    assert "NIST SP 800-63B asks for shorter limits" in page


def test_7_1_2_how_many_sessions_an_account_may_have_is_documented() -> None:
    """What happens at the limit: item 19 in ``test_i_owners.py``."""
    page = (DOCS / "settings.md").read_text("utf-8")
    policy = SessionPolicy()
    assert f"| `max_sessions_per_owner` | `{policy.max_sessions_per_owner}` |" in page
    assert f'| `at_limit` | `"{policy.at_limit}"` |' in page


@pytest.mark.parametrize("sent", ["", "alice", "1", "A" * 40, "{flipped}", "{cut}"])
def test_7_2_1_only_the_server_says_what_a_token_is_worth(stored_site: Site, sent: str) -> None:
    value = log_in(stored_site).value or ""
    flipped = value[:-1] + ("A" if value[-1] != "A" else "B")
    cookie = sent.format(flipped=flipped, cut=value[:-1])
    assert stored_site.jar().send(f"sid={cookie}").body == "nobody"


def test_7_2_2_tokens_are_made_for_each_session_and_no_key_is_one(make_site: MakeSite) -> None:
    site = make_site("wsgi", secrets=["a secret of the site"])
    jars = [log_in(site) for _ in range(10)]
    assert len({jar.value for jar in jars}) == 10
    assert site.jar().send("sid=a secret of the site").body == "nobody"


def test_7_2_3_tokens_are_240_bits_from_the_systems_generator() -> None:
    manager = SessionManager(MemoryStore())
    values = [manager.start().session_id or "" for _ in range(5000)]
    assert len(set(values)) == 5000
    assert {len(base64.urlsafe_b64decode(value)) * 8 for value in values} == {240}
    assert inspect.signature(SessionManager).parameters["random_bytes"].default is os.urandom
    known = SessionManager(MemoryStore(), random_bytes=lambda count: b"\x07" * count)
    assert base64.urlsafe_b64decode(known.start().session_id or "") == b"\x07" * 30


def test_7_2_4_a_login_and_another_one_make_a_token_and_end_the_one_before(
    any_site: Site,
) -> None:
    jar = any_site.jar()
    jar.get("/count")
    before: list[Jar] = []

    for _ in range(2):
        before.append(jar.copy())
        jar.get("/login")

    assert len({jar.value, *(old.value for old in before)}) == 3
    assert who(jar, *before) == ["alice", "nobody", "nobody"]


def test_7_3_1_who_does_nothing_must_log_in_again(
    make_site: MakeSite, any_store: Store, clock: FakeClock
) -> None:
    jar = log_in(make_site("wsgi", any_store, idle_timeout=1800))
    clock.advance(1799)
    assert who(jar) == ["alice"]
    clock.advance(1801)
    assert who(jar) == ["nobody"]


def test_7_3_2_who_goes_on_for_long_must_log_in_again(
    make_site: MakeSite, any_store: Store, clock: FakeClock
) -> None:
    jar = log_in(make_site("wsgi", any_store, idle_timeout=1800, absolute_timeout=12 * 3600))
    seen = []

    for _ in range(25):
        clock.advance(1750)
        seen += who(jar)

    assert seen == ["alice"] * 24 + ["nobody"]


@pytest.mark.parametrize("out", KINDS)
def test_7_4_1_what_has_ended_is_resumed_nowhere(out: str, clock: FakeClock) -> None:
    """Neither by the back button nor by another application that shares the login."""
    manager = SessionManager(open_store("memory:"), clock=clock)
    cookies: dict[str, str] = {}
    copies = []

    for kind in KINDS:
        with site_of(kind, manager) as site:
            jar = site.jar() if not cookies else site.jar(cookies=cookies)
            jar.get("/login" if not cookies else "/notouch")
            cookies = jar.cookies
            assert who(jar) == ["alice"]

    with site_of(out, manager) as site:
        site.jar(cookies=cookies).get("/logout")

    for kind in KINDS:
        with site_of(kind, manager) as site:
            copies += who(site.jar(cookies=cookies))

    assert copies == ["nobody"] * 3


def test_7_4_2_the_sessions_of_an_account_that_is_closed_end(stored_site: Site) -> None:
    jars, other = [log_in(stored_site) for _ in range(3)], log_in(stored_site, "bob")
    assert stored_site.manager.revoke_all("alice") == 3
    assert who(*jars, other) == ["nobody"] * 3 + ["bob"]
    assert who(*(jar.copy() for jar in jars)) == ["nobody"] * 3


def change_password(session: t.Any, query: Query) -> str:
    session.manager.revoke_all(session.owner, except_=session)
    session.renew()
    return "changed"


def test_7_4_3_item_18_a_new_password_ends_the_other_sessions(
    make_site: MakeSite, kind: str, any_store: Store
) -> None:
    """In Django it does by itself, see tests/django/test_passwords.py."""
    site = make_site(kind, any_store)
    # Django's request.session has the core's in it.
    site.views["/password"] = lambda session, query: change_password(
        getattr(session, "core", session), query
    )
    here, there, other = log_in(site), log_in(site), log_in(site, "bob")
    before = here.copy()
    here.get("/password")
    assert who(here, before, there, other) == ["alice", "nobody", "nobody", "bob"]


def test_7_4_5_an_administrator_ends_one_all_of_a_user_or_all(stored_site: Site) -> None:
    jars = [log_in(stored_site, user) for user in ("alice", "alice", "bob", "carol")]
    manager = stored_site.manager
    first = manager.open(f"sid={jars[0].value}").public_id
    assert manager.revoke("alice", first or "")
    assert who(*jars) == ["nobody", "alice", "bob", "carol"]
    assert manager.revoke_all("bob") == 1
    assert who(*jars) == ["nobody", "alice", "nobody", "carol"]

    for owner in {stored.owner for stored in manager.all()}:
        manager.revoke_all(owner or "")

    assert who(*jars) == ["nobody"] * 4


def confirm(session: t.Any, query: Query) -> str:
    """The user has typed the password once more."""
    session.renew()
    session.set("confirmed", True, ttl=600)
    return "confirmed"


def change_address(session: t.Any, query: Query) -> str:
    return "changed" if session.get("confirmed") else "password, please"


def test_7_5_1_and_7_5_3_what_is_sensitive_needs_the_password_again(
    make_site: MakeSite, kind: str, any_store: Store, clock: FakeClock
) -> None:
    site = make_site(kind, any_store)
    site.views |= {"/confirm": confirm, "/address": change_address}
    jar = log_in(site)
    answers = [jar.get("/address").body]
    stolen = jar.copy()
    jar.get("/confirm")

    for seconds in (0, 599, 2):
        clock.advance(seconds)
        answers.append(jar.get("/address").body)

    assert answers == ["password, please", "changed", "changed", "password, please"]
    assert stolen.get("/address").body == "password, please"
    assert who(jar) == ["alice"]


def test_7_5_2_users_see_their_sessions_and_end_any_of_them(stored_site: Site) -> None:
    jars, other = [log_in(stored_site) for _ in range(3)], log_in(stored_site, "bob")
    manager = stored_site.manager
    current = manager.open(f"sid={jars[0].value}")
    listed = manager.sessions_of("alice", current=current)
    assert sorted(info.is_current for info in listed) == [False, False, True]

    for info in listed:
        assert manager.revoke("bob", info.public_id) is False
        assert info.is_current or manager.revoke("alice", info.public_id)

    assert who(*jars, other) == ["alice", "nobody", "nobody", "bob"]


def test_7_6_1_a_session_ends_with_the_login_at_the_provider(
    make_site: MakeSite, any_store: Store, clock: FakeClock
) -> None:
    """At the time that the provider has named, however much it is used, or when it says so."""
    site = make_site("wsgi", any_store)
    until = datetime.datetime.fromtimestamp(clock() + 3600, datetime.timezone.utc)

    def callback(session: t.Any, query: Query) -> str:
        session.bind("alice")
        session.update(user="alice")
        session.set_expiry(until)
        return "welcome"

    site.views["/callback"] = callback
    timed, told = site.jar(), site.jar()
    timed.get("/callback")
    clock.advance(3599)
    told.get("/login")
    assert who(timed, told) == ["alice", "alice"]
    clock.advance(2)
    assert who(timed, told) == ["nobody", "alice"]
    site.manager.revoke_all("alice")
    assert who(told) == ["nobody"]


def test_7_6_2_without_a_deed_of_the_user_there_is_no_session(any_site: Site) -> None:
    for path in ("/whoami", "/show", "/notouch", "/renew", "/logout", "/clear"):
        assert any_site.jar().get(path).set_cookie is None

    assert any_site.live() == 0
