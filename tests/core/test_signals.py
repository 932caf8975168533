"""Signals: what happened, from whom; never an id; and a receiver cannot break anything."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from sessionkit.testing import FakeClock
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import View
from tests.core.support import received

ALL = [found for found in vars(signals).values() if isinstance(found, signals.Signal)]


def reasons(events: list[dict[str, t.Any]]) -> list[str]:
    return [event["reason"] for event in events]


def test_created_saved_renewed_destroyed(browser: Browser) -> None:
    with (
        received(signals.created) as created,
        received(signals.saved) as saved,
        received(signals.renewed) as renewed,
        received(signals.destroyed) as destroyed,
    ):
        browser.put(a=1)
        browser.put(b=2)
        browser.visit()
        browser.see()
        browser.visit(lambda session: session.renew())
        browser.visit(lambda session: session.destroy())

    assert [event["keys"] for event in created] == [{"a"}]
    assert [event["keys"] for event in saved] == [{"b"}]
    assert len(renewed) == 1
    assert reasons(destroyed) == ["ended"]
    assert all(isinstance(event["session"], Session) for event in created + saved + renewed)


def test_an_end_with_something_new_is_both(browser: Browser) -> None:
    browser.log_in("ann", a=1)

    with received(signals.destroyed) as destroyed, received(signals.created) as created:
        browser.log_in("bob", b=1)

    assert reasons(destroyed) == ["replaced"]
    assert [event["keys"] for event in created] == [{"b"}]


def test_revoking_tells_of_each(manager: SessionManager) -> None:
    for _ in range(2):
        Browser(manager).log_in("ann")

    with received(signals.destroyed) as destroyed:
        manager.revoke_all("ann")

    assert [(event["session"], event["reason"]) for event in destroyed] == [(None, "revoked")] * 2


def test_flash_messages_have_names_of_their_own(browser: Browser) -> None:
    with received(signals.created) as created:
        browser.visit(lambda session: session.flash.__setitem__("a", 1))

    assert [event["keys"] for event in created] == [{"flash:a"}]


def test_using_a_replaced_id_is_told(browser: Browser) -> None:
    browser.put(a=1)
    old = browser.twin()
    browser.visit(lambda session: session.renew())

    with received(signals.superseded_use) as used:
        old.see()

    assert len(used) == 1


@pytest.mark.parametrize(("value", "reason"), [("short", "malformed"), ("u" * 40, "unknown")])
def test_a_refused_cookie_is_told_with_the_reason(
    browser: Browser, value: str, reason: str
) -> None:
    browser.value = value

    with received(signals.rejected) as rejected:
        browser.see()

    assert rejected == [{"session": None, "reason": reason}]


def test_an_expired_session_is_told_and_an_old_id_of_one_is_just_unknown(
    browser: Browser, clock: FakeClock
) -> None:
    browser.put(a=1)
    old = browser.twin()
    browser.log_in("ann")
    clock.advance(100)

    with received(signals.expired) as expired, received(signals.rejected) as rejected:
        old.see()
        assert (expired, reasons(rejected)) == ([], ["unknown"])
        clock.advance(14 * DAY)
        browser.see()

    assert (expired, reasons(rejected)) == ([{"session": None, "owned": True}], ["unknown"])


@pytest.mark.parametrize(
    ("idle", "view", "reason", "keys"),
    [
        (0, lambda session: session.update(b=1), "changed", {"b"}),
        (0, lambda session: session.set_expiry(60), "changed", set()),
        (0, lambda session: setattr(session, "modified", True), "forced", set()),
        (0, lambda session: session.save(), "early", set()),
        (DAY / 2, lambda session: session["a"], "refreshed", set()),
    ],
)
def test_a_write_says_why(
    browser: Browser, clock: FakeClock, idle: float, view: View, reason: str, keys: set[str]
) -> None:
    browser.put(a=1)
    clock.advance(idle)

    with received(signals.saved) as saved:
        browser.visit(view)

    assert [(event["reason"], event["keys"]) for event in saved] == [(reason, keys)]


def test_a_session_that_was_read_is_told_once_and_can_be_looked_at(browser: Browser) -> None:
    browser.log_in("ann", a=1)
    seen: list[object] = []

    def look(sender: object, session: Session, owned: bool) -> None:
        seen.append((owned, session["a"]))

    with signals.loaded.connected_to(look):
        browser.see()
        browser.visit()

    assert seen == [(True, 1)]


@pytest.mark.parametrize(
    ("method", "view", "keys"),
    [
        ("swap", lambda session: session.update(b=1), {"b"}),
        ("move", Session.renew, set()),
        ("move", lambda session: session.clear() or session.update(b=1), {"b"}),
    ],
)
def test_a_lost_swap_is_told_with_what_this_request_wants_to_write(
    browser: Browser, store: FullStore, method: str, view: View, keys: set[str]
) -> None:
    browser.put(a=1)
    rival = browser.twin()
    store.before[method] = lambda: rival.put(a=2)

    with received(signals.conflict) as conflict, received(signals.merged) as merged:
        browser.visit(view)

    assert [event["keys"] for event in conflict] == [keys]
    assert [event["keys"] for event in merged] in ([], [keys])


def test_sessions_with_and_without_an_owner_can_be_counted(browser: Browser) -> None:
    with received(signals.created) as created, received(signals.renewed) as renewed:
        browser.put(a=1)
        browser.log_in("ann")
        browser.visit(Session.renew)
        browser.visit(Session.destroy)
        browser.log_in("ann")

    assert [event["owned"] for event in created] == [False, True]
    assert [(event["owned"], event["owner_changed"]) for event in renewed] == [
        (True, True),
        (True, False),
    ]


def test_the_sender_is_the_manager(manager: SessionManager, store: FullStore) -> None:
    other = SessionManager(store)
    senders: list[object] = []

    def receive(sender: object, **values: object) -> None:
        senders.append(sender)

    with signals.created.connected_to(receive, sender=manager):
        Browser(manager).put(a=1)
        Browser(other).put(a=1)

    assert senders == [manager]


def test_a_receiver_that_raises_is_logged_without_its_text_and_changes_nothing(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    def receive(sender: object, **values: object) -> None:
        raise ValueError("the secret")

    with (
        signals.created.connected_to(receive),
        signals.saved.connected_to(receive),
        received(signals.saved) as saved,
    ):
        browser.put(a=1)
        browser.put(b=2)

    assert browser.see() == {"a": 1, "b": 2}
    assert len(saved) == 1, "other receivers are called all the same"
    assert caplog.messages == [
        "a receiver of created raised ValueError",
        "a receiver of saved raised ValueError",
    ]


def test_signals_that_nobody_listens_to_are_not_even_made_up(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "emit", None)

    for signal in ALL:
        monkeypatch.setattr(signal, "receivers", {})

    browser.put(a=1)
    browser.put(a=2)
    browser.see()
    browser.manager.clock.advance(DAY / 2)  # type: ignore[attr-defined]
    browser.see()
    browser.log_in("ann")
    browser.visit(Session.renew)
    browser.log_in("bob")
    browser.visit(Session.destroy)


def test_no_event_holds_an_id_or_a_value(browser: Browser) -> None:
    with contextlib.ExitStack() as stack:
        heard = {signal.name: stack.enter_context(received(signal)) for signal in ALL}
        browser.put(a="marker")
        ids = [browser.value]
        late = browser.open()
        late["b"] = "marker"
        browser.twin().put(c="marker")
        browser.visit(Session.renew)
        ids.append(browser.value)
        browser.manager.commit(late)
        Browser(browser.manager, ids[0]).see()
        browser.visit(Session.destroy)
        Browser(browser.manager, ids[1]).see()

    silent = {name for name, events in heard.items() if not events}
    assert silent == {"merged", "expired", "store_down", "store_up"}
    shown = repr(heard)
    assert "marker" not in shown
    assert not any(str(session_id) in shown for session_id in ids)
