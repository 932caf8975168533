"""Items 24-26 and 41-49 of the checklist: size, attributes, neighbours and caches."""

from __future__ import annotations

import re
import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit.errors import ConfigurationError
from sessionkit.testing import FakeClock
from tests.security.sealed.support import OLD
from tests.security.sealed.support import MakeSealed
from tests.security.sealed.support import logged_in
from tests.security.sealed.support import names
from tests.security.sites import Jar
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site

ALPHABET = re.compile(r"[A-Za-z0-9_.-]+").fullmatch


def put_a_lot(session: t.Any, query: Query) -> str:
    session["lot"] = "x" * int(query["bytes"])
    return "kept"


def put_deep(session: t.Any, query: Query) -> str:
    value: list[t.Any] = []

    for _ in range(10_000):
        value = [value]

    try:
        session["deep"] = value
    except TypeError as error:
        return type(error).__name__

    return "kept"


def outcome(jar: Jar, path: str, query: Query) -> str | None:
    """The ``Set-Cookie`` header, or None if the application has failed."""
    try:
        answer = jar.get(path, query)
    except Exception:  # noqa: BLE001 - servers make a 500 of it
        return None

    assert (answer.status == 500) == (answer.set_cookie is None)
    return answer.set_cookie


@pytest.mark.filterwarnings("ignore")
def test_items_24_and_25_no_cookie_is_too_large(sealed_site: Site) -> None:
    sealed_site.views |= {"/lot": put_a_lot, "/deep": put_deep}
    jar = sealed_site.jar()
    jar.get("/count")
    before = jar.value

    for size in (100, 2000, 2800, 2900, 3000, 5000, 1_000_000):
        header = outcome(jar.copy(), "/lot", {"bytes": str(size)})
        assert header is None or len(header) <= 4096
        assert (header is None) == (size > 2850)

    assert jar.get("/deep").body == "ValueNotSupported"
    assert jar.get("/show").body == "[('count', 1)]"
    assert before is not None


def test_item_26_two_cookies_of_our_name(sealed_site: Site) -> None:
    jar = logged_in(sealed_site)
    value = jar.value

    for header in (f"sid={value}; sid=garbage", f"sid=garbage; sid={value}"):
        assert jar.send(header).body == "alice"

    assert jar.send("; ".join(["sid=garbage"] * 100)).body == "nobody"


@pytest.mark.parametrize(
    "options", [{"samesite": "None"}, {"partitioned": True}, {"name": "__Host-sid"}]
)
def test_item_41_a_deletion_repeats_the_attributes(
    make_sealed: MakeSealed, options: dict[str, t.Any]
) -> None:
    site = make_sealed(cookie=CookieOptions(**options))
    jar = logged_in(site)
    attributes = names(jar.copy().get("/login"))
    deleted = jar.get("/logout")
    assert names(deleted) == attributes >= {"Secure", "Path", "Max-Age"}
    assert "Max-Age=0" in (deleted.set_cookie or "")
    assert jar.value is None

    with pytest.raises(ConfigurationError, match="secure"):
        CookieOptions(**{**options, "secure": False})


def put_twice(session: t.Any, query: Query) -> str:
    session["a"] = 1
    session.save()
    session.bind("alice")
    session.save()
    session["a"] = 2
    return "kept"


def test_item_42_one_cookie_of_valid_syntax(sealed_site: Site) -> None:
    sealed_site.views["/twice"] = put_twice
    jar = sealed_site.jar()
    answer = jar.get("/twice")
    assert len(answer.all("Set-Cookie")) == 1
    assert ALPHABET(jar.value or "")
    assert jar.get("/show").body == "[('a', 2)]"


def test_item_43_no_cookie_without_need(sealed_site: Site) -> None:
    jar = logged_in(sealed_site)

    for path in ("/notouch", "/whoami", "/show"):
        assert jar.get(path).set_cookie is None


def test_item_44_neither_name_nor_value_name_this_library(make_sealed: MakeSealed) -> None:
    site = make_sealed(cookie=CookieOptions(name="id"))
    header = site.jar().get("/login").set_cookie or ""
    assert header.startswith("id=")
    assert "session" not in header.lower()


def test_item_45_two_applications_side_by_side_do_not_end_each_other(
    make_sealed: MakeSealed,
) -> None:
    jar = make_sealed(cookie=CookieOptions(path="/a")).jar()
    assert "; Path=/a" in (jar.get("/login").set_cookie or "")
    # Of another application with secrets of its own: unknown, and left alone.
    foreign = make_sealed(OLD).jar(cookies=jar.cookies)
    assert foreign.get("/whoami").set_cookie is None
    assert foreign.get("/logout").set_cookie is None
    assert foreign.cookies == jar.cookies


def test_items_46_to_49_caches(make_sealed: MakeSealed, clock: FakeClock) -> None:
    site = make_sealed(idle_timeout=100)
    site.views["/public"] = lambda session, query: Said(
        str(session.get("user")), headers=(("Cache-Control", "public, s-maxage=60"),)
    )
    jar = logged_in(site)
    assert jar.get("/notouch").all("Vary") == []
    clock.advance(10)
    refreshed = jar.get("/public")
    assert refreshed.set_cookie is not None
    assert "Cookie" in refreshed.all("Vary")[0]
    control = refreshed.all("Cache-Control")[0]
    assert "private" in control
    assert "public" not in control
    assert "s-maxage" not in control
