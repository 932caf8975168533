"""The user's sessions: seeing and ending them, and how many there may be. ASVS 7.1.2, 7.4, 7.5."""

from __future__ import annotations

import typing as t

from sessionkit import Session
from sessionkit import Store
from sessionkit.errors import TooManySessions
from sessionkit.testing import FakeClock

from .conftest import MakeSite
from .sites import Jar
from .sites import Query
from .sites import Site
from .sites import login


def log_in(site: Site, user: str = "alice") -> Jar:
    jar = site.jar()
    jar.get("/login", {"user": user})
    return jar


def opened(jar: Jar) -> Session:
    return jar.site.manager.open(f"{jar.name}={jar.value}")


def who(*jars: Jar) -> list[str]:
    return [jar.get("/whoami").body for jar in jars]


def test_item_17_asvs_7_4_3_all_others_are_ended(stored_site: Site) -> None:
    alices, bob = [log_in(stored_site) for _ in range(3)], log_in(stored_site, "bob")
    manager = stored_site.manager
    asking = opened(alices[0])

    assert manager.revoke_all("alice", except_=asking) == 2

    assert who(*alices, bob) == ["alice", "nobody", "nobody", "bob"]


def test_item_17_asvs_7_4_2_and_7_4_5_an_administrator_ends_all_of_a_user(
    stored_site: Site,
) -> None:
    alices, bob = [log_in(stored_site) for _ in range(3)], log_in(stored_site, "bob")
    alices[0].get("/renew")

    assert stored_site.manager.revoke_all("alice") == 3

    assert who(*alices, bob) == ["nobody", "nobody", "nobody", "bob"]
    assert stored_site.manager.sessions_of("alice") == []


def test_item_17_asvs_7_5_2_a_user_sees_and_ends_any_session(stored_site: Site) -> None:
    alices = [log_in(stored_site) for _ in range(3)]
    manager = stored_site.manager
    wanted = opened(alices[1]).public_id
    listed = manager.sessions_of("alice", current=opened(alices[0]))
    assert wanted in [info.public_id for info in listed if not info.is_current]

    assert manager.revoke("alice", wanted or "")

    assert who(*alices) == ["alice", "nobody", "alice"]


def test_item_17_nobody_ends_the_session_of_somebody_else(stored_site: Site) -> None:
    alice, bob = log_in(stored_site), log_in(stored_site, "bob")
    (foreign,) = stored_site.manager.sessions_of("bob")

    assert stored_site.manager.revoke("alice", foreign.public_id) is False

    assert who(alice, bob) == ["alice", "bob"]


def test_asvs_7_4_1_what_is_over_is_neither_listed_nor_live(
    stored_site: Site, clock: FakeClock
) -> None:
    left, late = log_in(stored_site), log_in(stored_site)
    left.get("/logout")
    assert len(stored_site.manager.sessions_of("alice")) == 1
    clock.advance(400 * 24 * 3600)
    assert stored_site.manager.sessions_of("alice") == []
    assert who(left, late) == ["nobody", "nobody"]


def test_item_19_asvs_7_1_2_one_login_too_many_ends_the_oldest(
    make_site: MakeSite, any_store: Store, kind: str, clock: FakeClock
) -> None:
    site = make_site(kind, any_store, max_sessions_per_owner=2)
    other = log_in(site, "bob")
    jars = []

    for _ in range(3):
        clock.advance(1)
        jars.append(log_in(site))

    assert who(*jars, other) == ["nobody", "alice", "alice", "bob"]
    assert len(site.manager.sessions_of("alice")) == 2


def test_item_19_asvs_7_1_2_or_is_refused(
    make_site: MakeSite, any_store: Store, kind: str, clock: FakeClock
) -> None:
    def guarded(session: t.Any, query: Query) -> str:
        try:
            return login(session, query)
        except TooManySessions:
            return "log out elsewhere"

    site = make_site(kind, any_store, max_sessions_per_owner=2, at_limit="refuse")
    site.views["/login"] = guarded
    jars = [log_in(site) for _ in range(3)]
    assert who(*jars) == ["alice", "alice", "nobody"]
    jars[0].get("/logout")
    assert jars[2].get("/login").body == "hello alice"
