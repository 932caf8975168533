"""Signals: what happened, from whom; never an id; and a receiver cannot break anything."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import received


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


@pytest.mark.parametrize(
    ("value", "reason"), [("short", "malformed"), ("u" * 40, "unknown"), (None, "expired")]
)
def test_a_refused_cookie_is_told_with_the_reason(
    browser: Browser, value: str | None, reason: str
) -> None:
    browser.put(a=1)
    browser.value = value or browser.value

    if value is None:
        browser.manager.clock.advance(10**6)  # type: ignore[attr-defined]

    with received(signals.rejected) as rejected:
        browser.see()

    assert reasons(rejected) == [reason]


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


def test_no_event_holds_an_id_or_a_value(browser: Browser) -> None:
    names = ("created", "saved", "renewed", "destroyed", "merged", "dropped", "rejected")
    events: list[dict[str, t.Any]] = []

    def receive(sender: object, **values: t.Any) -> None:
        events.append(values)

    for name in names:
        getattr(signals, name).connect(receive)

    browser.put(a="marker")
    ids = [browser.value]
    late = browser.open()
    late["b"] = "marker"
    browser.visit(lambda session: session.renew())
    ids.append(browser.value)
    browser.manager.commit(late)
    browser.visit(lambda session: session.destroy())

    for name in names:
        getattr(signals, name).disconnect(receive)

    assert len(events) == 4
    shown = repr(events)
    assert "marker" not in shown
    assert not any(str(session_id) in shown for session_id in ids)
