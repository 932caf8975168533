"""Cookies of the application's own, in all three ways in."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies

from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import keys
from sessionkit.errors import ConfigurationError
from sessionkit.errors import SessionCommitted
from sessionkit.errors import StoreUnavailable
from sessionkit.errors import ValueNotSupported
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from tests.core.support import PlainStore
from tests.security.conftest import MakeSite
from tests.security.sites import Answer
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site
from tests.security.sites import site_of

SECRETS = ["a secret"]


def theme(session: t.Any, query: Query) -> str:
    session.set_cookie("theme", query.get("value", "dark"))
    return "set"


def read_theme(session: t.Any, query: Query) -> str:
    return ascii(session.get_cookie("theme"))


def names(answer: Answer) -> list[str]:
    return [cookie.partition("=")[0] for cookie in answer.all("Set-Cookie")]


@pytest.fixture
def spy(clock: FakeClock) -> PlainStore:
    return PlainStore(clock)


@pytest.fixture
def shop(make_site: MakeSite, kind: str, spy: PlainStore) -> Site:
    """A site that signs, on a store that counts, with the views above."""
    site = make_site(kind, spy, secrets=SECRETS)
    site.views |= {"/theme": theme, "/read": read_theme}
    return site


def one_view(site: Site, act: cabc.Callable[[t.Any], object]) -> Answer:
    def view(session: t.Any, query: Query) -> str:
        return str(act(session))

    site.views["/view"] = view
    return site.jar().get("/view")


def test_it_is_set_and_read_without_the_store(shop: Site, spy: PlainStore) -> None:
    jar = shop.jar()
    jar.cookies["sid"] = "x" * 40
    answer = jar.get("/theme")
    assert answer.all("Set-Cookie") == ["theme=dark; Path=/; HttpOnly; SameSite=Lax"]
    assert jar.get("/read").body == "'dark'"
    assert spy.calls == []


def test_all_options_are_those_of_the_session_cookie(shop: Site) -> None:
    def act(session: t.Any) -> None:
        session.set_cookie(
            "a",
            "1",
            max_age=60,
            path="/view",
            domain="example.org",
            secure=True,
            httponly=False,
            samesite="None",
            partitioned=True,
        )

    [header] = one_view(shop, act).all("Set-Cookie")
    assert header == (
        "a=1; Path=/view; Max-Age=60; Domain=example.org; Secure; SameSite=None; Partitioned"
    )


def test_over_https_it_is_secure(shop: Site) -> None:
    [header] = shop.jar(scheme="https").get("/theme").all("Set-Cookie")
    assert "; Secure" in header


def test_it_is_deleted_with_all_attributes(shop: Site) -> None:
    answer = one_view(shop, lambda session: session.delete_cookie("theme", path="/view"))
    assert answer.all("Set-Cookie") == ["theme=; Path=/view; Max-Age=0; HttpOnly; SameSite=Lax"]


def test_the_last_call_for_a_name_counts(shop: Site) -> None:
    def act(session: t.Any) -> None:
        session.set_cookie("a", "1")
        session.set_cookie("b", "2")
        session.delete_cookie("a")

    assert [cookie.split(";")[0] for cookie in one_view(shop, act).all("Set-Cookie")] == [
        "b=2",
        "a=",
    ]


def test_it_goes_with_the_session_cookie_and_with_the_frameworks_own(shop: Site) -> None:
    def view(session: t.Any, query: Query) -> Said:
        session["user"] = "alice"
        session.set_cookie("theme", "dark")
        return Said("ok", headers=(("Set-Cookie", "other=1"),))

    shop.views["/view"] = view
    answer = shop.jar().get("/view")
    assert sorted(names(answer)) == ["other", "sid", "theme"]


def test_a_signed_one_is_read_back(shop: Site) -> None:
    jar = shop.jar()
    shop.views["/view"] = lambda session, query: (
        session.set_cookie("seen", "tea, at 5; \u2615", signed=True) or "set"
    )
    shop.views["/seen"] = lambda session, query: ascii(session.get_cookie("seen", signed=True))
    jar.get("/view")
    assert jar.get("/seen").body == ascii("tea, at 5; \u2615")
    assert jar.get("/seen", HTTP_COOKIE="seen=forged").body == "None"
    genuine = jar.cookies["seen"]
    assert jar.get("/seen", HTTP_COOKIE=f"seen=forged.x; seen={genuine}").body != "None"


def test_a_signature_is_bound_to_the_name_and_to_its_purpose(shop: Site) -> None:
    jar = shop.jar()
    shop.views["/view"] = lambda session, query: (
        session.set_cookie("one", query["value"], signed=True) or "set"
    )
    shop.views["/other"] = lambda session, query: str(session.get_cookie("other", signed=True))
    jar.get("/login")
    jar.get("/view", {"value": str(shop.manager.verify(jar.value or ""))})
    one = jar.cookies["one"]
    assert jar.get("/other", HTTP_COOKIE=f"other={one}").body == "None"
    assert jar.get("/other", HTTP_COOKIE=f"other={jar.value}").body == "None"
    assert jar.get("/whoami", HTTP_COOKIE=f"sid={jar.value}").body == "alice"
    assert jar.get("/whoami", HTTP_COOKIE=f"sid={one}").body == "nobody"


def test_an_older_secret_is_still_good(clock: FakeClock) -> None:
    old = SessionManager(MemoryStore(), secrets=["old"]).open()
    old.set_cookie("a", "1", signed=True)
    [cookie] = old.custom_cookies
    header = cookie.header(https=True).split(";")[0]
    new = SessionManager(MemoryStore(), secrets=["new", "old"]).open(header)
    assert new.get_cookie("a", signed=True) == "1"
    assert SessionManager(MemoryStore(), secrets=["new"]).open(header).get_cookie("a") is not None


def test_without_secrets_nothing_is_signed() -> None:
    session = SessionManager(MemoryStore()).open("a=1")

    with pytest.raises(ConfigurationError, match="secrets"):
        session.set_cookie("a", "1", signed=True)

    with pytest.raises(ConfigurationError, match="secrets"):
        session.get_cookie("a", signed=True)


def test_the_session_cookie_is_out_of_reach(shop: Site) -> None:
    refused: list[ConfigurationError] = []

    def act(session: t.Any) -> None:
        calls: list[cabc.Callable[[], object]] = [
            lambda: session.set_cookie("sid", "x"),
            lambda: session.delete_cookie("sid"),
            lambda: session.get_cookie("sid"),
        ]
        for call in calls:
            with pytest.raises(ConfigurationError, match="own") as caught:
                call()
            refused.append(caught.value)

    assert names(one_view(shop, act)) == []
    assert len(refused) == 3


@pytest.mark.parametrize(
    "options",
    [
        {"name": "a b"},
        {"name": "a\r\nX-Evil: 1"},
        {"name": ""},
        {"path": "/;Domain=evil.example"},
        {"path": "/\r\n"},
        {"domain": "evil.example\r\nX: 1"},
        {"samesite": "lax\n"},
        {"max_age": "60; Secure"},
        {"max_age": 0},
        {"max_age": float("nan")},
        {"secure": "yes"},
        {"name": "__Host-a", "domain": "example.org"},
        {"value": "x" * 5000},
        {"value": "\ud800"},
    ],
)
def test_what_cannot_be_sent_is_refused(options: dict[str, t.Any]) -> None:
    session: t.Any = SessionManager(MemoryStore()).open()

    with pytest.raises(ConfigurationError, match="cookie"):
        session.set_cookie(**{"name": "a", "value": "1", **options})

    assert session.custom_cookies == []


def test_a_value_is_text() -> None:
    session: t.Any = SessionManager(MemoryStore()).open()

    for value in (None, 5, b"bytes"):
        with pytest.raises(ValueNotSupported, match="must be text"):
            session.set_cookie("a", value)


@given(strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_comes_back_and_injects_nothing(value: str) -> None:
    for signed in (False, True):
        session = SessionManager(MemoryStore(), secrets=SECRETS).open()
        session.set_cookie("a", value, signed=signed)
        [cookie] = session.custom_cookies
        header = cookie.header(https=False)
        assert header.isascii()
        assert header.isprintable()
        pair, *attributes = header.split("; ")
        assert attributes == ["Path=/", "HttpOnly", "SameSite=Lax"]
        answer = SessionManager(MemoryStore(), secrets=SECRETS).open(f"b=0; {pair}; c=2")
        assert answer.get_cookie("a", signed=signed) == value


def test_an_answer_that_sets_one_is_private(shop: Site) -> None:
    def view(session: t.Any, query: Query) -> Said:
        session.set_cookie("theme", "dark")
        return Said("ok", headers=(("Cache-Control", "public, s-maxage=60"),))

    shop.views["/view"] = view
    answer = shop.jar().get("/view")
    assert answer.all("Vary") == ["Cookie"]
    assert answer.all("Cache-Control") == ["private"]


def test_an_answer_that_reads_one_depends_on_it(shop: Site) -> None:
    answer = shop.jar().get("/read")
    assert answer.all("Vary") == ["Cookie"]
    assert answer.all("Cache-Control") == ["private"]


@pytest.mark.parametrize("status", [204, 302, 404, 500, 503])
def test_it_goes_with_every_answer_of_the_application(shop: Site, status: int) -> None:
    def view(session: t.Any, query: Query) -> Said:
        session.set_cookie("theme", "dark")
        return Said("", status)

    shop.views["/view"] = view
    answer = shop.jar().get("/view")
    assert (answer.status, names(answer)) == (status, ["theme"])


def test_it_does_not_go_with_the_503_in_place_of_the_answer(shop: Site, spy: PlainStore) -> None:
    def read(session: t.Any, query: Query) -> str:
        session.set_cookie("theme", "dark")
        return str(session.get("user"))

    def write(session: t.Any, query: Query) -> str:
        session.set_cookie("theme", "dark")
        session["user"] = "alice"
        return "written"

    shop.views |= {"/read": read, "/write": write}
    jar = shop.jar()
    jar.get("/login")
    spy.trouble = StoreUnavailable("down")

    for path in ("/read", "/write"):
        answer = jar.get(path)
        assert (answer.status, names(answer)) == (503, [])


def test_it_does_not_go_with_a_503_when_the_session_cannot_be_saved(
    shop: Site, spy: PlainStore
) -> None:
    def write(session: t.Any, query: Query) -> str:
        session.set_cookie("theme", "dark")
        session["user"] = "alice"
        return "written"

    shop.views["/write"] = write
    spy.trouble, spy.failing = StoreUnavailable("down"), ("swap",)
    answer = shop.jar().get("/write")
    assert (answer.status, names(answer)) == (503, [])


def test_during_an_outage_it_is_set_all_the_same(shop: Site, spy: PlainStore) -> None:
    spy.trouble = StoreUnavailable("down")
    answer = shop.jar().get("/theme")
    assert (answer.status, names(answer)) == (200, ["theme"])


def test_it_is_refused_when_the_answer_has_begun(shop: Site) -> None:
    refused: list[SessionCommitted] = []

    def view(session: t.Any, query: Query) -> Said:
        set_cookie = session.set_cookie  # Flask's proxy is gone when the body is made

        def body() -> cabc.Iterator[bytes]:
            yield b"begun"
            with pytest.raises(SessionCommitted) as caught:
                set_cookie("late", "1")
            refused.append(caught.value)

        return Said(body())

    shop.views["/view"] = view
    assert names(shop.jar().get("/view")) == []
    assert len(refused) == 1


def test_below_another_middleware_it_is_sent_once(shop: Site) -> None:
    shop.wsgi = SessionMiddleware(shop.wsgi, shop.manager)
    assert names(shop.jar().get("/theme")) == ["theme"]


def test_below_the_middleware_of_another_manager_it_is_sent_once(shop: Site) -> None:
    other = SessionManager(MemoryStore(), cookie=CookieOptions(name="outer"))
    shop.wsgi = SessionMiddleware(shop.wsgi, other, environ_key="outer")
    assert names(shop.jar().get("/theme")) == ["theme"]


@pytest.mark.parametrize("encrypted", [True, False])
def test_beside_sealed_sessions(kind: str, encrypted: bool) -> None:
    manager = SealedSessionManager([keys.new_key()], encrypted=encrypted)

    with site_of(kind, manager) as site:
        site.views["/set"] = lambda session, query: (
            session.set_cookie("theme", "dark", signed=True) or "set"
        )
        site.views["/get"] = lambda session, query: session.get_cookie("theme", signed=True)
        jar = site.jar()
        jar.get("/login")
        answer = jar.get("/set")
        assert names(answer) == ["theme"]
        assert jar.get("/get").body == "dark"
        jar.cookies["sid"] = jar.cookies["theme"]
        assert jar.get("/whoami").body == "nobody"
