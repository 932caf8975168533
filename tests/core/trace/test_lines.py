"""What a line says of a request."""

from __future__ import annotations

import re

import pytest

from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import keys
from sessionkit.errors import PayloadTooLarge
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import FakeClock
from sessionkit.trace_text import MOST_KEYS
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import View
from tests.core.trace.support import Lines


def without_totals(lines: Lines) -> Lines:
    """The lines without the size of the whole session."""
    return [re.sub(r", \d{2,} B", "", line) for line in lines]


@pytest.fixture
def visitor(browser: Browser, lines: Lines) -> Browser:
    browser.put(cart=["tea"], user="ann")
    lines.clear()
    return browser


def early(session: Session) -> None:
    session["a"] = 1
    session.save()
    session.flash["b"] = 2


def replace(session: Session) -> None:
    session["a"] = session.pop("user") and 1


def begin_again(session: Session) -> None:
    session.clear()
    session["a"] = 1


def look_passively(session: Session) -> None:
    session.passive = True
    _ = session.state


LIVE = "session sid: live, from the cookie, 2 keys of 11 B; "
KEPT = "; no cookie: the client has it"
CASES: dict[str, tuple[View, str]] = {
    "read": (
        lambda session: session["user"],
        "read 'user' (5 B); not written: nothing changed, and only 0 % of its idle time has passed"
        " (it is extended from 10 %)" + KEPT,
    ),
    "write": (
        lambda session: session.update(user="robert"),
        "changed 'user' (5 -> 8 B); written" + KEPT,
    ),
    "nested": (
        lambda session: session["cart"].append("milk"),
        "read 'cart' (6 B); changed 'cart' (6 -> 11 B, inside of it); written" + KEPT,
    ),
    "new and removed": (
        replace,
        "read 'user' (5 B); changed 'a' (new, 2 B), 'user' (removed); written" + KEPT,
    ),
    "the application says so": (
        lambda session: setattr(session, "modified", True),
        "written although nothing changed, since the application said so" + KEPT,
    ),
    "early": (
        early,
        "changed 'a' (new, 2 B), 'flash:b' (new, 2 B); written early, by save(); written" + KEPT,
    ),
    "lifetime": (
        lambda session: setattr(session, "permanent", False),
        (
            "written, since its lifetime or what is known about it changed; cookie sent: its "
            "lifetime changed"
        ),
    ),
    "renewal": (Session.renew, "renewed; cookie sent: the id is new"),
    "login": (
        lambda session: session.bind("ann"),
        "renewed for another owner; cookie sent: the id is new",
    ),
    "end": (Session.destroy, "ended; cookie deleted: the session was ended"),
    "end and begin": (
        begin_again,
        "changed 'a' (new, 2 B); ended, replaced; created; cookie sent: the session is new",
    ),
    "passive": (
        look_passively,
        "not written: nothing changed, and the request is passive" + KEPT,
    ),
}


@pytest.mark.parametrize(("view", "expected"), CASES.values(), ids=CASES.keys())
def test_a_line_says_what_became_of_the_session_and_why(
    visitor: Browser, lines: Lines, view: View, expected: str
) -> None:
    visitor.visit(view)
    assert without_totals(lines) == [LIVE + expected]


def test_a_write_tells_the_size_of_the_whole_session(
    visitor: Browser, lines: Lines, store: FullStore
) -> None:
    visitor.put(user="robert")
    [record] = store.records().values()
    assert f"; written, {len(record.payload)} B; " in lines[0]


def test_a_session_that_nobody_uses_has_no_line(visitor: Browser, lines: Lines) -> None:
    visitor.visit()
    assert lines == []


def test_an_answer_that_is_an_error_writes_nothing(visitor: Browser, lines: Lines) -> None:
    visitor.visit(lambda session: session.update(a=1), ok=False)
    assert lines == [
        LIVE + "dropped 'a': error_response; not written: the answer is an error" + KEPT
    ]


def test_a_refresh_says_how_much_of_the_idle_time_had_passed(
    visitor: Browser, lines: Lines, clock: FakeClock
) -> None:
    clock.advance(DAY / 4)
    visitor.visit(lambda session: session.state)
    assert without_totals(lines) == [
        LIVE + "nothing changed, but 25 % of its idle time had passed: its life extended "
        "written" + KEPT
    ]


def test_a_conflict_names_what_the_other_wrote_and_what_both_wrote(
    visitor: Browser, lines: Lines, store: FullStore
) -> None:
    rival = visitor.twin()
    store.before["swap"] = lambda: rival.put(user="bob", theme="dark")
    visitor.put(user="eve", a=1)
    assert len(lines) == 2, "a line each"
    assert (
        "changed 'a' (new, 2 B), 'user' (5 -> 5 B); overtaken once by requests that wrote 'theme', "
        "'user', both wrote 'user'; written"
    ) in lines[1]


@pytest.mark.parametrize(
    ("value", "why"), [(None, "not sent"), ("short", "malformed"), ("u" * 40, "unknown")]
)
def test_a_new_session_says_what_was_wrong_with_the_cookie(
    browser: Browser, lines: Lines, value: str | None, why: str
) -> None:
    browser.value = value
    browser.visit(lambda session: session.get("a"))
    assert lines == [f"session sid: new, cookie {why}; not written: it is new and empty; no cookie"]


def test_an_expired_cookie(visitor: Browser, lines: Lines, clock: FakeClock) -> None:
    clock.advance(2 * DAY)
    visitor.see()
    assert lines[0].startswith("session sid: new, cookie expired; ")


def test_a_replaced_id(visitor: Browser, lines: Lines) -> None:
    old = visitor.twin()
    visitor.visit(Session.renew)
    old.put(a=1)
    assert lines[1] == (
        "session sid: superseded, the id was replaced by a newer one; dropped 'a': superseded; "
        "not written: there was nowhere to write to; no cookie"
    )


def test_a_request_that_was_overtaken_by_an_end(visitor: Browser, lines: Lines) -> None:
    late = visitor.open()
    late["a"] = 1
    visitor.visit(Session.destroy)
    visitor.manager.commit(late)
    assert lines[1] == (
        LIVE + "overtaken once; dropped 'a': ended; not written: "
        "another request has ended or replaced the session; no cookie"
    )


def test_a_store_that_is_away(visitor: Browser, lines: Lines, store: FullStore) -> None:
    store.fail()
    session = visitor.open()

    with pytest.raises(StoreUnavailable):
        _ = session["user"]

    visitor.manager.commit(session)
    assert lines == [
        (
            "session sid: unavailable, StoreUnavailable; not written: there is nothing to write; "
            "no cookie"
        )
    ]


def test_a_commit_that_fails(visitor: Browser, lines: Lines) -> None:
    with pytest.raises(PayloadTooLarge):
        visitor.put(a="x" * 2000)

    assert lines == [
        LIVE + "dropped 'a': error_response; the commit failed: PayloadTooLarge" + KEPT
    ]


def test_an_id_in_a_header(manager: SessionManager, lines: Lines) -> None:
    session = manager.open()
    session.token = ""
    session["a"] = 1
    manager.commit(session)
    assert without_totals(lines)[0].endswith("created; id in the header sent: the session is new")


def test_a_sealed_session(clock: FakeClock, lines: Lines) -> None:
    browser = Browser(
        SealedSessionManager([keys.new_key()], encrypted=False, trace=lines.append, clock=clock)
    )
    browser.put(a=1)
    browser.visit(lambda session: session["a"])
    assert browser.value is not None
    size = f"the session is in it, {len(browser.value)} B"
    assert lines[0].endswith(f"; cookie sent: {size}")
    assert lines[1].startswith("session sid: live, from the cookie, 1 key of 2 B; read 'a' (2 B)")


def test_names_are_quoted_cut_and_not_too_many(browser: Browser, lines: Lines) -> None:
    browser.put(**{"a\nforged line": 1, "k" * 100: 1}, **{f"m{n}": 1 for n in range(MOST_KEYS)})
    [line] = lines
    assert "\n" not in line
    assert r"'a\nforged line' (new, 2 B)" in line
    assert f"'{'k' * 60}...' (new, 2 B)" in line
    assert " and 2 more; " in line


def test_no_id_and_no_value_is_in_a_line(visitor: Browser, lines: Lines, store: FullStore) -> None:
    ids = {visitor.value, visitor.open().public_id}
    visitor.put(a="marker")
    visitor.log_in("marker", b=["marker"])
    ids |= {visitor.value, *store.records()}
    visitor.visit(lambda session: session.flash.__setitem__("b", "marker"))
    visitor.visit(Session.destroy)
    assert len(lines) == 4
    assert not [secret for secret in (*ids, "marker") if str(secret) in "".join(lines)]


def test_a_session_of_the_applications_own(manager: SessionManager, lines: Lines) -> None:
    job = manager.start()
    job["a"] = 1
    manager.commit(job)
    assert lines[0].startswith("session sid: new, given id unknown; changed 'a'")


def test_a_tolerant_request_that_cannot_write(
    visitor: Browser, lines: Lines, store: FullStore
) -> None:
    session = visitor.open()
    session.outage = "unavailable"
    session["a"] = 1
    store.fail("swap")
    visitor.manager.commit(session)
    assert lines == [
        LIVE + "dropped 'a': unavailable; not written: the store did not answer" + KEPT
    ]
