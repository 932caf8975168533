"""Whatever comes as a cookie: an anonymous session, bounded work, never an error."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import tokens
from sessionkit.testing import FakeClock
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.wsgi.support import call


def show(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(dict(environ["sessionkit.session"])).encode()]


def made(secrets: list[str] | None) -> tuple[SessionManager, FullStore]:
    clock = FakeClock(NOW)
    store = FullStore(clock)
    return SessionManager(store, secrets=secrets, clock=clock, sleep=clock.sleep), store


@pytest.fixture(params=[None, ["secret"]], ids=["bare", "signed"])
def secrets(request: pytest.FixtureRequest) -> list[str] | None:
    return t.cast("list[str] | None", request.param)


HOSTILE = [
    "",
    ";",
    "=",
    "sid",
    "sid=",
    'sid="',
    'sid="""',
    "sid=%00",
    "sid=\0",
    "sid=" + "\0" * 40,
    "sid=\xff\xfe",
    "sid=" + "\xe9" * 40,
    "sid=../../../../etc/passwd",
    "sid=" + "x" * 9000,
    "sid=" + "x" * 40 + "\r\nSet-Cookie: a=b",
    "sid=a.b.c.d",
    "sid=.",
    "sid=$Version=1; $Path=/",
    "sid={}; sid=[]; sid=null; sid=0",
    "sid=__proto__",
    ("sid=" + "u" * 40 + "; ") * 100,
    "; " * 9000,
    "sid=" + "=" * 9000,
]


@pytest.mark.parametrize("cookie", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_cookies_are_anonymous(cookie: str, secrets: list[str] | None) -> None:
    manager, store = made(secrets)
    reply = call(SessionMiddleware(show, manager), cookie)
    assert (reply.status, reply.body, reply.cookie) == ("200 OK", b"{}", None)
    assert len(store.calls) <= 2
    assert store.records() == {}


def test_garbage_beside_the_real_one_does_no_harm(secrets: list[str] | None) -> None:
    manager, _ = made(secrets)
    browser = Browser(manager)
    browser.put(a=1)

    for header in ("sid=garbage; {}", "{}; sid=garbage", 'sid="; {}', "sid=\xff; sid=\0; {}"):
        reply = call(SessionMiddleware(show, manager), header.format(browser.header))
        assert reply.body == b"{'a': 1}"


def test_another_names_prefix_is_not_ours(secrets: list[str] | None) -> None:
    manager, _ = made(secrets)
    browser = Browser(manager)
    browser.put(a=1)

    for name in ("sid2", "SID", "xsid", "__Host-sid", "s"):
        reply = call(SessionMiddleware(show, manager), f"{name}={browser.value}")
        assert reply.body == b"{}"


latin = st.text(st.characters(max_codepoint=255), max_size=200)
pieces = st.sampled_from(
    ["sid=", ";", " ", '"', "=", ".", "\0", "u" * 40, tokens.sign("u" * 40, ["other"])]
)


@given(
    st.one_of(latin, st.lists(st.one_of(pieces, latin), max_size=20).map("".join)), st.booleans()
)
def test_no_header_breaks_anything(cookie: str, signed: bool) -> None:
    manager, store = made(["secret"] if signed else None)
    reply = call(SessionMiddleware(show, manager), cookie)
    assert (reply.status, reply.body, reply.cookie) == ("200 OK", b"{}", None)
    assert len(store.calls) <= 2
