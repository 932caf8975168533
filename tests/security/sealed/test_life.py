"""Items 8-22, 56, 60 and 62 of the checklist: limits, clocks and owners; encrypted stores."""

from __future__ import annotations

import concurrent.futures
import typing as t

import pytest

from sessionkit.encryption import EncryptedStore
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.security.sealed.support import SECRET
from tests.security.sealed.support import MakeSealed
from tests.security.sealed.support import logged_in
from tests.security.sealed.support import names
from tests.security.sites import Site


def test_item_8_a_login_changes_the_cookie_and_keeps_the_data(sealed_site: Site) -> None:
    jar = sealed_site.jar()
    assert jar.get("/count").body == "1"
    planted = jar.copy()
    jar.get("/login")
    assert jar.value != planted.value
    assert jar.get("/count").body == "2"
    assert planted.get("/whoami").body == "nobody", "who planted the cookie is not logged in"


@pytest.mark.parametrize("limit", ["idle", "absolute"])
def test_items_13_and_14_limits_are_kept_on_the_server(
    make_sealed: MakeSealed, clock: FakeClock, limit: str
) -> None:
    site = make_sealed(idle_timeout=2, absolute_timeout=4, ownerless_timeout=None)
    jar = logged_in(site)

    if limit == "idle":
        clock.advance(3)
    else:
        for _ in range(3):
            clock.advance(1)
            assert jar.get("/whoami").body == "alice"
            assert jar.get("/renew").set_cookie is not None

        clock.advance(1)

    assert jar.get("/whoami").body == "nobody"


def test_item_15_an_expired_cookie_cannot_be_replayed(
    make_sealed: MakeSealed, clock: FakeClock
) -> None:
    jar = logged_in(make_sealed(idle_timeout=10))
    clock.advance(10)
    assert jar.send(f"sid={jar.value}").body == "nobody"


def test_item_16_lifetimes_are_honest(make_sealed: MakeSealed, clock: FakeClock) -> None:
    jar = logged_in(make_sealed(idle_timeout=1000, absolute_timeout=1500))
    clock.advance(99)
    assert jar.get("/whoami").set_cookie is None
    clock.advance(1)
    answer = jar.get("/whoami")
    assert "; Max-Age=1000" in (answer.set_cookie or ""), "a longer life is told"
    clock.advance(900)
    assert "; Max-Age=500" in (jar.get("/count").set_cookie or "")

    for_ever = make_sealed(idle_timeout=None, absolute_timeout=None, ownerless_timeout=None)
    assert "; Max-Age=34560000" in (for_ever.jar().get("/login").set_cookie or "")
    transient = make_sealed(transient=True)
    assert not {"Max-Age", "Expires"} & names(transient.jar().get("/login"))


def test_items_21_and_22_who_reads_or_logs_out_gets_no_cookie(sealed_site: Site) -> None:
    for path in ("/whoami", "/show", "/logout", "/clear", "/renew", "/notouch"):
        assert sealed_site.jar().get(path).set_cookie is None


def test_item_56_nobody_gets_the_session_of_somebody_else(sealed_site: Site) -> None:
    def visit(number: int) -> set[str]:
        jar = sealed_site.jar()
        jar.get("/login", {"user": f"user{number}"})
        return {jar.get("/whoami").body for _ in range(10)}

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(visit, range(24)))

    assert seen == [{f"user{number}"} for number in range(24)]


def test_item_60_clock_steps(make_sealed: MakeSealed, clock: FakeClock) -> None:
    site = make_sealed(idle_timeout=7200, absolute_timeout=7200)
    jar = logged_in(site)
    clock.advance(-3600)
    assert jar.get("/count").body == "1"
    assert jar.get("/whoami").body == "alice"
    clock.advance(3600)
    assert jar.get("/whoami").body == "alice"
    clock.advance(3600)
    assert jar.get("/whoami").body == "alice"
    clock.advance(3601)
    assert jar.get("/whoami").body == "nobody", "never longer than the limit and the step"


def test_item_62_another_owner_finds_nothing(sealed_site: Site) -> None:
    jar = logged_in(sealed_site)
    jar.get("/put", {"secret": "of alice"})
    jar.get("/login", {"user": "bob"})
    assert jar.get("/show").body == "[('user', 'bob')]"


def test_items_20_and_25_an_encrypted_store_keeps_the_limits_of_its_engine(
    clock: FakeClock,
) -> None:
    engine = MemoryStore(clock=clock)
    store: t.Any = EncryptedStore(engine, [SECRET])

    for seconds in (-1000, 1000):
        record = new_record(expires_at=clock() + seconds)
        assert store.swap(new_key(), None, record)

    assert store.sweep(clock()) == 1
    assert store.count(clock()) == 1
