"""Section C of the checklist: denial of service and failure."""

from __future__ import annotations

import logging
import time
import typing as t

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings

from sessionkit import Record
from sessionkit import Store
from sessionkit import tokens
from sessionkit.errors import PayloadTooLarge
from sessionkit.errors import StoreUnavailable
from sessionkit.errors import ValueNotSupported
from sessionkit.payload import Stub
from sessionkit.payload import pack_stub
from sessionkit.stores.memory import MemoryStore
from tests.security.conftest import MakeSite
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site


class Counting(MemoryStore):
    """Counts look-ups; can be out of reach."""

    def __init__(self) -> None:
        super().__init__()
        self.gets = 0
        self.down = False

    def _reach(self) -> None:
        if self.down:
            raise StoreUnavailable("no route to host", unreachable=True)

    def get(self, key: str, /) -> Record | None:
        self.gets += 1
        self._reach()
        return super().get(key)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        self._reach()
        return super().swap(key, expected, record)

    def delete(self, key: str, expected: Record, /) -> bool:
        self._reach()
        return super().delete(key, expected)


def test_item_21_reading_makes_no_record(any_site: Site) -> None:
    for number in range(30):
        value = tokens.new_id() if number % 2 else ""
        answer = any_site.jar(cookies={"sid": value} if value else {}).get("/whoami")
        assert answer.set_cookie is None

    assert any_site.keys() == []


def test_item_21_a_thousand_readers(site: Site) -> None:
    for _ in range(1000):
        assert site.jar(cookies={"sid": tokens.new_id()}).get("/show").set_cookie is None

    assert site.keys() == []


@pytest.mark.parametrize("path", ["/logout", "/clear", "/renew"])
def test_item_22_an_anonymous_logout_makes_no_record(any_site: Site, path: str) -> None:
    for number in range(30):
        value = tokens.new_id() if number % 2 else ""
        answer = any_site.jar(cookies={"sid": value} if value else {}).get(path)
        assert (answer.status, answer.set_cookie) == (200, None)

    assert any_site.keys() == []


def test_item_23_what_is_emptied_where_it_was_made_leaves_nothing(any_site: Site) -> None:
    def fill_and(empty: t.Callable[[t.Any], object]) -> t.Callable[[t.Any, Query], str]:
        def view(session: t.Any, query: Query) -> str:
            session["a"] = [1]
            empty(session)
            return "empty"

        return view

    for number, empty in enumerate(
        (
            lambda session: session.clear(),
            lambda session: session.destroy(),
            lambda session: session.pop("a"),
            lambda session: session.__delitem__("a"),
        )
    ):
        any_site.views[f"/{number}"] = fill_and(empty)
        assert any_site.jar().get(f"/{number}").set_cookie is None, number

    assert any_site.keys() == []


def test_item_23_what_is_cleared_later_is_ended_with_its_cookie(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/count")
    assert "Max-Age=0" in (jar.get("/clear").set_cookie or "")
    assert any_site.live() == 0


def test_item_23_emptied_key_by_key_it_goes_on(any_site: Site) -> None:
    any_site.views["/pop"] = lambda session, query: str(session.pop("count"))
    jar = any_site.jar()
    jar.get("/count")
    assert jar.get("/pop").set_cookie is None
    assert jar.get("/show").body == "[]"
    assert any_site.live() == 1


@pytest.mark.parametrize("secrets", [None, ["a secret"]])
def test_item_24_the_cookie_does_not_grow(
    make_site: MakeSite, kind: str, secrets: list[str] | None
) -> None:
    site = make_site(kind, secrets=secrets)
    site.views["/much"] = lambda session, query: session.update({"a": "x" * 10**6}) or "kept"
    header = site.jar().get("/much").set_cookie or ""
    assert len(header) < 256


def test_item_25_what_is_too_large_or_too_deep_is_refused(make_site: MakeSite) -> None:
    site = make_site(max_payload=1000)
    site.views["/much"] = lambda session, query: session.update(a="x" * 1000) or "kept"
    site.views["/deep"] = lambda session, query: session.update(a=_deep(100_000)) or "kept"

    for path, error in (("/much", PayloadTooLarge), ("/deep", ValueNotSupported)):
        with pytest.raises(error):
            site.jar().get(path)

    assert site.keys() == []


def _deep(levels: int) -> list[t.Any]:
    value: list[t.Any] = []

    for _ in range(levels):
        value = [value]

    return value


GARBAGE = ("garbage", "", '"', '"\\163"', '"abc', "a" * 5000, "\xff\x00", tokens.new_id())


@pytest.mark.parametrize("secrets", [None, ["a secret"]])
def test_item_26_a_valid_cookie_beside_garbage(
    make_site: MakeSite, kind: str, secrets: list[str] | None
) -> None:
    site = make_site(kind, secrets=secrets)
    jar = site.jar()
    jar.get("/login")

    for garbage in GARBAGE:
        for cookie in (f"sid={garbage}; sid={jar.value}", f"sid={jar.value}; sid={garbage}"):
            answer = jar.send(cookie)
            assert (answer.status, answer.body) == (200, "alice"), garbage


def test_item_26_of_two_live_ones_the_first_wins(site: Site) -> None:
    alice, bob = site.jar(), site.jar()
    alice.get("/login")
    bob.get("/login", {"user": "bob"})
    assert site.jar().send(f"sid={alice.value}; sid={bob.value}").body == "alice"
    assert site.jar().send(f"sid={bob.value}; sid={alice.value}").body == "bob"


UNKNOWN_ID = "bm9ib2R5LWhhcy1ldmVyLWlzc3VlZC10aGlzLWlk"


@pytest.mark.parametrize("value", ["", "garbage", UNKNOWN_ID])
def test_item_26_a_hundred_copies_cost_no_more_than_two(
    make_site: MakeSite, kind: str, value: str
) -> None:
    store = Counting()
    make_site(kind, store).jar().send("; ".join([f"sid={value}"] * 100))
    assert store.gets <= 2


class _LooksAtCookies:
    """A middleware of Django's that has cookies parsed before the session is opened."""

    def __init__(self, get_response: t.Any) -> None:
        self.get_response = get_response

    def __call__(self, request: t.Any) -> t.Any:
        assert request.COOKIES is not None
        return self.get_response(request)


@pytest.mark.parametrize("garbage", GARBAGE[:-1])
def test_item_26_garbage_where_django_has_parsed_the_cookies(
    make_site: MakeSite, garbage: str
) -> None:
    jar = make_site("django").jar()
    jar.get("/login")
    ours = "django_sessionkit.middleware.SessionMiddleware"
    looks = f"{__name__}._LooksAtCookies"

    with override_settings(MIDDLEWARE=[looks, ours]):
        jar.site.wsgi = t.cast(t.Any, WSGIHandler())

        for cookie in (f"sid={garbage}; sid={jar.value}", f"sid={jar.value}; sid={garbage}"):
            assert jar.send(cookie).body == "alice"


def test_item_27_an_outage_is_no_logout(make_site: MakeSite, kind: str) -> None:
    store = Counting()
    jar = make_site(kind, store, breaker_failures=10**6).jar()
    jar.get("/login")
    before = jar.value
    store.down = True

    for path in ("/whoami", "/count", "/login", "/renew", "/show"):
        answer = jar.get(path)
        assert (answer.status, answer.set_cookie) == (503, None), path

    assert jar.get("/notouch").status == 200
    store.down = False
    assert jar.get("/whoami").body == "alice"
    assert jar.value == before


def test_item_27_an_outage_during_the_commit_is_no_logout(make_site: MakeSite, kind: str) -> None:
    store = Counting()
    site = make_site(kind, store)
    jar = site.jar()
    jar.get("/login")

    def view(session: t.Any, query: Query) -> str:
        session["note"] = "lost"
        store.down = True
        return "a page that must not be shown"

    site.views["/down"] = view
    answer = jar.get("/down")
    assert (answer.status, answer.set_cookie) == (503, None)
    assert "must not be shown" not in answer.body
    store.down = False
    assert jar.get("/show").body == "[('user', 'alice')]"


CORRUPT = {
    "empty": b"",
    "zero": bytes(200),
    "null": b"null",
    "list": b"[]",
    "JSON": b'{"user": "alice"}',
    "random": b"\x9e7\xf1\x00\xd4\x8bq\x1c" * 20,
}


@pytest.mark.parametrize("damage", [*CORRUPT, "truncated", "extended", "doubled"])
def test_item_28_a_corrupt_record_is_an_absent_one(
    any_site: Site, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    jar = any_site.jar()
    jar.get("/login", {"user": "marker-user"})
    before = jar.value
    key = tokens.digest(any_site.manager.verify(before or "") or "")
    record = any_site.store.get(key)
    whole = record.payload
    cut = {"truncated": whole[:-1], "extended": whole + b"\0", "doubled": whole * 2}
    payload = {**CORRUPT, **cut}[damage]
    assert any_site.store.swap(key, record, record._replace(payload=payload))

    with caplog.at_level(logging.WARNING, logger="sessionkit"):
        answer = jar.get("/whoami")

    assert (answer.status, answer.body, answer.set_cookie) == (200, "nobody", None)
    assert len(caplog.records) == 1
    assert "marker" not in caplog.text
    jar.get("/login")
    assert jar.value != before
    assert jar.get("/whoami").body == "alice"


@pytest.mark.parametrize("way_out", ["/logout", "/clear"])
def test_item_28_a_logout_from_a_corrupt_record(any_site: Site, way_out: str) -> None:
    jar = any_site.jar()
    jar.get("/login")
    key = tokens.digest(any_site.manager.verify(jar.value or "") or "")
    record = any_site.store.get(key)
    any_site.store.swap(key, record, record._replace(payload=b"null"))
    assert jar.get(way_out).status == 200
    assert any_site.manager.sessions_of("alice") == []
    any_site.manager.revoke_all("alice")
    assert jar.get("/whoami").body == "nobody"
    assert any_site.store.owned_by("alice", any_site.manager.clock()) == []


def _key(number: int) -> str:
    return tokens.digest(f"stub number {number:040}")


@pytest.mark.parametrize("length", [1, 2, 50])
def test_item_28_replaced_ids_in_a_ring_end_in_bounded_time(
    make_site: MakeSite, any_store: Store, length: int
) -> None:
    site = make_site("wsgi", any_store)
    jar = site.jar()
    jar.get("/login")
    end = site.manager.clock() + 60
    keys = [tokens.digest(jar.value or ""), *(_key(number) for number in range(1, length))]

    for key, successor in zip(keys, [*keys[1:], keys[0]], strict=True):
        stub = Record(pack_stub(Stub("renewed", successor, {})), 2**61, end)
        assert any_store.swap(key, any_store.get(key), stub)

    started = time.monotonic()
    assert jar.get("/logout").status in (200, 503)
    assert time.monotonic() - started < 5


def test_item_27_a_page_that_streams_keeps_what_it_read(site: Site) -> None:
    """The store is gone when the body is sent: the answer is not cut off."""
    jar = site.jar()
    jar.get("/login")

    def view(session: t.Any, query: Query) -> Said:
        name = session["user"]
        return Said(iter([b"hello ", name.encode()]))

    site.views["/stream"] = view
    assert jar.get("/stream").body == "hello alice"
