"""Flash: by key, gone when read, untouched by requests that do not read it."""

from __future__ import annotations

import pytest

from sessionkit import Session
from sessionkit.errors import SessionCommitted
from sessionkit.errors import ValueNotSupported
from tests.core.support import Browser


def flash(browser: Browser, **messages: object) -> None:
    def view(session: Session) -> None:
        for key, value in messages.items():
            session.flash[key] = value

    browser.visit(view)


def left(browser: Browser) -> list[str]:
    return sorted(browser.open().flash)


def test_a_message_is_read_once(browser: Browser) -> None:
    flash(browser, saved="done")
    read: list[object] = []
    browser.visit(lambda session: read.append(session.flash["saved"]))
    browser.visit(lambda session: read.append(session.flash.get("saved", "gone")))
    assert read == ["done", "gone"]


def test_in_the_request_that_reads_it_it_is_gone_too(browser: Browser) -> None:
    session = browser.open()
    session.flash["saved"] = 1
    assert session.flash["saved"] == 1
    assert "saved" not in session.flash

    with pytest.raises(KeyError):
        session.flash["saved"]


def test_requests_that_do_not_read_leave_messages_alone(browser: Browser) -> None:
    flash(browser, saved="done")
    browser.visit()
    browser.put(other=1)
    browser.visit(lambda session: session.flash.peek("saved"))
    browser.visit(lambda session: ("saved" in session.flash, len(session.flash), [*session.flash]))
    assert left(browser) == ["saved"]


def test_a_request_that_fails_after_reading_leaves_the_message(browser: Browser) -> None:
    flash(browser, saved="done")
    browser.visit(lambda session: session.flash["saved"], ok=False)
    assert left(browser) == ["saved"]


def test_messages_of_one_request_are_not_mixed_with_values(browser: Browser) -> None:
    session = browser.open()
    session["saved"] = "value"
    session.flash["saved"] = "message"
    assert (session["saved"], session.flash["saved"]) == ("value", "message")
    assert dict(session) == {"saved": "value"}


def test_maps_keep_the_types_of_what_is_in_them(browser: Browser) -> None:
    flash(browser, errors={"age": 7, 3: ("a", None)})
    assert browser.open().flash["errors"] == {"age": 7, 3: ("a", None)}


def test_items_reads_everything(browser: Browser) -> None:
    flash(browser, a=1, b=2)
    seen: list[object] = []
    browser.visit(lambda session: seen.extend(session.flash.items()))
    assert sorted(seen, key=str) == [("a", 1), ("b", 2)]
    assert left(browser) == []


def test_deleting_discards_unread(browser: Browser) -> None:
    flash(browser, a=1, b=2)
    browser.visit(lambda session: session.flash.__delitem__("a"))
    assert left(browser) == ["b"]

    with pytest.raises(KeyError):
        del browser.open().flash["a"]


def test_peek_leaves_the_message(browser: Browser) -> None:
    flash(browser, a=None)
    session = browser.open()
    assert session.flash.peek("a", "default") is None
    assert session.flash.peek("b", "default") == "default"
    assert len(session.flash) == 1


def test_a_stored_none_differs_from_no_message(browser: Browser) -> None:
    flash(browser, a=None)
    session = browser.open()
    assert "a" in session.flash
    assert session.flash["a"] is None


class TestKeep:
    def test_what_was_read_is_put_back(self, browser: Browser) -> None:
        flash(browser, a=1, b=2, c=3)

        def view(session: Session) -> None:
            assert (session.flash["a"], session.flash["b"]) == (1, 2)
            session.flash.keep("a", "never read")

        browser.visit(view)
        assert left(browser) == ["a", "c"]

    def test_without_names_everything(self, browser: Browser) -> None:
        flash(browser, a=1, b=2)

        def view(session: Session) -> None:
            session.flash.items()
            session.flash.keep()

        browser.visit(view)
        assert dict(browser.open().flash.items()) == {"a": 1, "b": 2}

    def test_a_newer_message_is_not_overwritten(self, browser: Browser) -> None:
        flash(browser, a="old")

        def view(session: Session) -> None:
            assert session.flash["a"] == "old"
            session.flash["a"] = "new"
            session.flash.keep()

        browser.visit(view)
        assert browser.open().flash["a"] == "new"


class TestNow:
    def test_it_is_for_this_request_only(self, browser: Browser) -> None:
        session = browser.open()
        session.flash.now("a", object)
        assert "a" in session.flash
        assert session.flash.peek("a") is object
        assert [*session.flash] == ["a"]
        assert session.flash["a"] is object
        assert "a" not in session.flash

    def test_nothing_is_stored(self, browser: Browser) -> None:
        assert browser.visit(lambda session: session.flash.now("a", 1)) is None

    def test_it_comes_before_a_stored_message(self, browser: Browser) -> None:
        flash(browser, a="stored")
        session = browser.open()
        session.flash.now("a", "now")
        assert len(session.flash) == 1
        assert [session.flash["a"], session.flash["a"]] == ["now", "stored"]


def test_a_message_set_while_another_request_read_the_old_one_survives(browser: Browser) -> None:
    flash(browser, a="old")
    slow = browser.open()
    assert slow.flash["a"] == "old"
    flash(browser, a="new", b="more")
    browser.manager.commit(slow)
    assert dict(browser.open().flash.items()) == {"a": "new", "b": "more"}


def test_two_requests_that_read_the_same_message_both_succeed(browser: Browser) -> None:
    flash(browser, a="old")
    slow, fast = browser.open(), browser.open()
    assert slow.flash["a"] == fast.flash["a"] == "old"
    browser.manager.commit(fast)
    browser.manager.commit(slow)
    assert left(browser) == []


def test_keys_and_values_are_checked_where_they_are_set(browser: Browser) -> None:
    messages = browser.open().flash

    for key in (1, None, b"a"):
        with pytest.raises(TypeError, match="text"):
            messages[key] = 1  # type: ignore[index]

        with pytest.raises(TypeError, match="text"):
            messages.now(key, 1)  # type: ignore[arg-type]

        assert key not in messages

    with pytest.raises(ValueNotSupported, match=r"session\.flash\['a'\]"):
        messages["a"] = object()


def test_reading_a_message_after_the_commit_fails_instead_of_showing_it_twice(
    browser: Browser,
) -> None:
    flash(browser, a=1)
    session = browser.open()
    browser.manager.commit(session)
    assert session.flash.peek("a") == 1

    with pytest.raises(SessionCommitted):
        session.flash["a"]


def test_nothing_is_shown_by_repr(browser: Browser) -> None:
    session = browser.open()
    session.flash["secret"] = "value"
    assert repr(session.flash) == "<Flash>"
