"""Section B of the checklist: the life cycle."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import Store
from sessionkit.testing import FakeClock
from tests.security.conftest import MakeSite
from tests.security.sites import Answer
from tests.security.sites import Jar
from tests.security.sites import Query
from tests.security.sites import Site


def test_item_08_a_login_renews_the_id(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/count")
    values = [jar.value]

    for _ in range(2):
        jar.get("/login")
        values.append(jar.value)

    assert len(set(values)) == 3
    assert jar.get("/count").body == "2"


def test_item_08_so_does_a_login_as_somebody_else(site: Site) -> None:
    jar = site.jar()
    jar.get("/login")
    before = jar.value
    jar.get("/login", {"user": "bob"})
    assert jar.value != before
    assert site.jar(cookies={"sid": before or ""}).get("/whoami").body == "nobody"


@pytest.mark.parametrize("renewal", ["/login", "/renew"])
def test_item_09_the_old_id_is_dead_at_once(any_site: Site, clock: FakeClock, renewal: str) -> None:
    jar = any_site.jar()
    jar.get("/put", {"note": "marker"})
    old = jar.copy()
    assert any_site.live() == 1
    jar.get(renewal)

    for path in ("/show", "/whoami", "/count", "/put", "/show"):
        answer = old.get(path, {"user": "mallory"})
        assert "marker" not in answer.body
        assert "alice" not in answer.body
        assert answer.set_cookie is None

    # At most a stub, for its minute.
    assert any_site.live() <= 2
    clock.advance(61)
    assert any_site.live() == 1
    assert "marker" in jar.get("/show").body
    assert "mallory" not in jar.get("/show").body
    assert old.get("/show").body == "[]"


def _attributes(header: str) -> set[str]:
    _, *attributes = header.split("; ")
    return {attribute for attribute in attributes if not attribute.startswith("Max-Age")}


COOKIES = {
    "plain": CookieOptions(),
    "host": CookieOptions(name="__Host-sid", partitioned=True, samesite="None"),
    "domain": CookieOptions(domain="localhost", path="/shop", samesite="Strict", secure=True),
}


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
@pytest.mark.parametrize("way_out", ["/logout", "/clear"])
def test_item_10_a_logout_deletes_the_cookie_as_it_was_set(
    make_site: MakeSite, kind: str, cookie: CookieOptions, way_out: str
) -> None:
    site = make_site(kind, cookie=cookie)
    jar = site.jar(scheme="https")
    login = jar.get("/login").set_cookie or ""
    stolen = jar.copy()
    assert site.live() == 1
    deletion = jar.get(way_out).set_cookie or ""
    assert deletion.startswith(f"{cookie.name}=;")
    assert "; Max-Age=0" in deletion
    assert _attributes(deletion) == _attributes(login)
    assert ("Secure" in deletion) == ("Secure" in login) is True
    assert jar.cookies == {}
    assert stolen.get("/whoami").body == "nobody"
    assert site.live() == 0


def test_item_10_a_stolen_cookie_is_worthless_after_the_logout(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/login")
    stolen = jar.copy()
    assert stolen.get("/whoami").body == "alice"
    jar.get("/logout")
    answer = stolen.get("/whoami")
    assert (answer.body, answer.set_cookie) == ("nobody", None)
    stolen.get("/put", {"note": "back"})
    assert stolen.get("/show").body == "[('note', 'back')]"
    assert stolen.get("/whoami").body == "nobody"
    assert jar.copy().get("/whoami").body == "nobody"


def test_item_10_with_the_old_id_somebody_who_logs_out_ends_the_new_one(site: Site) -> None:
    jar = site.jar()
    jar.get("/login")
    before = jar.copy()
    jar.get("/renew")
    assert "Max-Age=0" in (before.get("/logout").set_cookie or "")
    assert jar.get("/whoami").body == "nobody"


def _overtaken(jar: Jar, by: str, does: str) -> Answer:
    """Make a request that has loaded its session when *by* is requested and answered."""

    def slow(session: t.Any, query: Query) -> str:
        session.get("user")
        jar.copy().get(by)

        if does == "write":
            session["late"] = "late"
        elif does == "change inside":
            session["cart"].append("late")
        elif does == "mutate":
            session.mutate("late", lambda value: "late")
        elif does == "delete":
            del session["user"]
        elif does == "flash":
            session.flash["late"] = "late"
        elif does == "save":
            session.save()
        elif does == "renew":
            session.renew()

        return "slow"

    site = jar.site
    site.views["/slow"] = slow
    return jar.copy().get("/slow")


DEEDS = ("read", "write", "change inside", "mutate", "delete", "flash", "save", "renew")


@pytest.mark.parametrize("does", DEEDS)
@pytest.mark.parametrize("by", ["/logout", "/renew"])
def test_items_11_and_12_what_was_ended_stays_ended(
    any_site: Site, clock: FakeClock, by: str, does: str
) -> None:
    jar = any_site.jar()
    any_site.views["/fill"] = lambda session, query: session.update({"cart": []}) or "filled"
    jar.get("/login")
    jar.get("/fill")
    old = jar.value or ""
    # So much later that a mere read extends the session's life.
    clock.advance(4 * 86400)
    answer = _overtaken(jar, by, does)
    assert (answer.status, answer.body, answer.set_cookie) == (200, "slow", None)
    assert any_site.jar(cookies={"sid": old}).get("/show").body == "[]"
    clock.advance(61)
    assert any_site.live() == (1 if by == "/renew" else 0)


def test_item_11_no_resurrection_after_a_logout(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/login")
    stolen = jar.copy()
    answer = _overtaken(jar, "/logout", "write")
    assert (answer.status, answer.set_cookie) == (200, None)
    assert stolen.get("/show").body == "[]"


def test_item_12_a_write_that_a_login_overtook_is_lost_without_an_error(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/put", {"note": "before"})
    successors: list[Jar] = []

    def slow(session: t.Any, query: Query) -> str:
        session["late"] = "late"
        successors.append(jar.copy())
        successors[0].get("/login")
        return "slow"

    any_site.views["/slow"] = slow
    answer = jar.copy().get("/slow")
    assert (answer.status, answer.set_cookie) == (200, None)
    shown = successors[0].get("/show").body
    assert "before" in shown
    assert "alice" in shown
    assert "late" not in shown


def test_item_11_not_even_by_a_failing_request(site: Site) -> None:
    jar = site.jar()
    jar.get("/login")
    stolen = jar.copy()

    def failing(session: t.Any, query: Query) -> t.Any:
        session["late"] = "late"
        jar.copy().get("/logout")
        raise RuntimeError("a bug")

    site.views["/failing"] = failing

    try:
        answer = jar.copy().get("/failing")
    except RuntimeError:
        assert site.live() == 0
    else:
        assert (answer.status, answer.set_cookie, site.live()) == (500, None, 0)

    assert stolen.get("/whoami").body == "nobody"


def test_item_13_the_idle_limit_is_the_servers(
    make_site: MakeSite, kind: str, any_store: Store, clock: FakeClock
) -> None:
    jar = make_site(kind, any_store, idle_timeout=2).jar()
    jar.get("/login")

    for _ in range(5):
        clock.advance(1)
        assert jar.get("/whoami").body == "alice"

    clock.advance(3)
    answer = jar.get("/whoami")
    assert (answer.body, answer.set_cookie) == ("nobody", None)


def test_item_14_the_absolute_limit_is_the_servers(
    make_site: MakeSite, kind: str, any_store: Store, clock: FakeClock
) -> None:
    jar = make_site(kind, any_store, idle_timeout=2, absolute_timeout=4).jar()
    jar.get("/login")
    seen = []

    for second in range(6):
        seen.append(jar.get("/whoami").body)
        clock.advance(1)
        jar.get("/renew" if second % 2 else "/notouch")

    assert seen == ["alice"] * 4 + ["nobody"] * 2
    jar.get("/login")
    clock.advance(1.5)
    jar.get("/login")
    clock.advance(1.9)
    jar.get("/whoami")
    clock.advance(1.9)
    assert jar.get("/whoami").body == "alice"


def test_item_15_expiry_does_not_depend_on_the_cookie(
    make_site: MakeSite, kind: str, any_store: Store, clock: FakeClock
) -> None:
    site = make_site(kind, any_store, idle_timeout=60)
    jar = site.jar()
    jar.get("/login")
    stolen = jar.value
    clock.advance(60)
    thief = site.jar()

    for path in ("/whoami", "/show"):
        assert thief.send(f"sid={stolen}", path).body in ("nobody", "[]")

    thief.send(f"sid={stolen}", "/put", {"note": "revived"})
    clock.advance(-30)
    # Had it been written, it would be back as the clock is set back.
    assert "revived" not in thief.send(f"sid={stolen}", "/show").body


def test_item_15_an_expired_session_is_not_listed_and_cannot_be_saved(
    make_site: MakeSite, any_store: Store, clock: FakeClock
) -> None:
    site = make_site("wsgi", any_store, idle_timeout=60)
    jar = site.jar()
    jar.get("/login")
    expired = site.manager.verify(jar.value or "") or ""
    clock.advance(61)
    assert site.manager.sessions_of("alice") == []
    assert site.manager.load(expired) is None
    jar.get("/count")
    assert site.manager.verify(jar.value or "") != expired
