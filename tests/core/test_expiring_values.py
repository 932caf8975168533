"""Keys that expire by themselves, while the session lives on."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.codec import Codec
from sessionkit.errors import ConfigurationError
from sessionkit.errors import ValueNotSupported
from sessionkit.expiring import expiring
from sessionkit.testing import FakeClock
from sessionkit.values import Values
from tests.core.support import Browser
from tests.core.support import FullStore


def sudo(session: Session) -> None:
    session.set("sudo", True, ttl=600)


def test_a_key_is_there_until_its_time_is_over(browser: Browser, clock: FakeClock) -> None:
    browser.put(user="alice")
    browser.visit(sudo)
    clock.advance(599)
    assert browser.see() == {"user": "alice", "sudo": True}
    clock.advance(1)
    assert browser.see() == {"user": "alice"}


def test_what_is_over_is_absent_in_every_way(browser: Browser, clock: FakeClock) -> None:
    browser.visit(sudo)
    clock.advance(601)
    session = browser.open()
    assert "sudo" not in session
    assert session.get("sudo") is None
    assert [*session] == []
    assert not session
    assert session.setdefault("sudo", "asked") == "asked"
    with pytest.raises(KeyError):
        browser.open().ttl("sudo")


def test_how_long_a_key_has_left(browser: Browser, clock: FakeClock) -> None:
    browser.visit(lambda session: session.set("sudo", True, ttl=datetime.timedelta(minutes=10)))
    browser.put(user="alice")
    clock.advance(400)
    session = browser.open()
    assert session.ttl("sudo") == 200
    assert session.ttl("user") is None
    clock.advance(1000)
    assert session.ttl("sudo") == 0


def test_looking_does_not_write_and_the_next_write_removes_what_is_over(
    browser: Browser, clock: FakeClock, store: FullStore
) -> None:
    browser.put(user="alice")
    browser.visit(sudo)
    clock.advance(601)
    store.calls.clear()
    browser.visit(lambda session: session.get("sudo"))
    assert store.calls == ["get"]
    [before] = store.records().values()
    assert b"sudo" in before.payload
    browser.visit(lambda session: session.update(seen=session.get("sudo", "no")))
    [after] = store.records().values()
    assert b"sudo" not in after.payload


def test_a_change_inside_keeps_the_time_and_an_assignment_ends_it(
    browser: Browser, clock: FakeClock
) -> None:
    browser.visit(lambda session: session.set("cart", ["tea"], ttl=600))
    clock.advance(300)
    browser.visit(lambda session: session["cart"].append("milk"))
    browser.visit(lambda session: session.mutate("cart", lambda cart: [*cart, "sugar"]))
    assert browser.open().ttl("cart") == 300
    clock.advance(299)
    assert browser.see() == {"cart": ["tea", "milk", "sugar"]}
    browser.put(cart=["tea"])
    clock.advance(1000)
    assert browser.see() == {"cart": ["tea"]}


def test_two_requests_may_set_keys_with_times_at_once(browser: Browser, clock: FakeClock) -> None:
    browser.visit(lambda session: session.set("a", 1, ttl=100))
    first, second = browser.open(), browser.open()
    first.set("b", [2], ttl=200)
    second.mutate("a", lambda number: number + 1)
    second.set("c", 3, ttl=300)
    for session in (first, second):
        browser.keep(browser.manager.commit(session))
    assert browser.see() == {"a": 2, "b": [2], "c": 3}
    clock.advance(150)
    assert browser.see() == {"b": [2], "c": 3}


def test_a_counter_that_is_over_begins_again_in_a_replay(
    browser: Browser, clock: FakeClock
) -> None:
    browser.visit(lambda session: session.set("tries", 5, ttl=60))
    clock.advance(61)
    first, second = browser.open(), browser.open()
    for session in (first, second):
        session.mutate("tries", lambda tries: tries + 1, 0)
    for session in (first, second):
        browser.keep(browser.manager.commit(session))
    assert browser.see() == {"tries": 2}


def test_a_login_takes_it_along_and_a_logout_does_not(browser: Browser, clock: FakeClock) -> None:
    browser.visit(sudo)
    browser.visit(lambda session: session.bind("alice"))
    assert browser.open().ttl("sudo") == 600
    browser.visit(lambda session: session.unbind())
    assert browser.see() == {}


def test_it_works_in_a_sealed_session(clock: FakeClock) -> None:
    browser = Browser(SealedSessionManager(["7Hq-Xz3vK9_bTn2LwRfYp8Ds5Gm1JcAe"], clock=clock))
    browser.visit(sudo)
    clock.advance(599)
    assert browser.see() == {"sudo": True}
    clock.advance(1)
    assert browser.see() == {}


@pytest.mark.parametrize("ttl", [0, -1, True, "600", float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(manager: SessionManager, ttl: t.Any) -> None:
    with pytest.raises(ConfigurationError, match="ttl"):
        manager.open().set("sudo", True, ttl=ttl)


def test_a_key_and_a_value_that_cannot_be_kept_are_refused(manager: SessionManager) -> None:
    session = manager.open()
    with pytest.raises(TypeError, match="keys of a session"):
        session.set(t.cast(str, 1), True, ttl=600)
    with pytest.raises(ValueNotSupported, match=r"session\['sudo'\]"):
        session.set("sudo", object(), ttl=600)
    assert not session


@given(st.binary(max_size=30), st.floats())
def test_whatever_bytes_there_are_the_key_is_readable_or_absent(data: bytes, until: float) -> None:
    codec = Codec()
    whole = expiring(codec.encode(data, "value"), until)
    assert Values(codec, {"key": b"\0" + data}, "session").has("key") is False

    for stored in (whole, whole[:-1], whole[:9], whole[:4]):
        values = Values(codec, {"key": stored}, "session", 0.0)
        readable = values.has("key")
        assert readable == (stored == whole and until > 0)
        assert [*values.current] == (["key"] if readable else [])
        values.settle()
        assert not values.changed()
