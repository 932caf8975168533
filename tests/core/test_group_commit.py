"""Requests of one process that change a session at once: one of them writes for those that wait."""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import threading
import time
import typing as t

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from sessionkit.errors import PayloadTooLarge
from sessionkit.errors import StoreUnavailable
from sessionkit.line import LONGEST_TURN
from sessionkit.line import Place
from sessionkit.testing import FakeClock

from .conftest import MakeManager
from .crowd import Change
from .crowd import Crowd
from .crowd import assign
from .crowd import increment
from .support import Browser
from .support import FullStore
from .support import received

R = t.TypeVar("R")


@pytest.fixture(autouse=True)
def _a_machine_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessionkit.line.LONGEST_TURN", 30.0)


def test_one_writes_for_all_that_wait(browser: Browser, store: FullStore) -> None:
    browser.put(a=1, b=1, c=1)
    crowd = Crowd(browser, store, assign(a=2))
    crowd.join(assign(b=2), lambda session: session.pop("c"), assign(d=2))
    crowd.commit()
    assert store.calls == ["get", "swap"]
    assert [other.result() for other in crowd.others] == [None] * 3
    assert browser.see() == {"a": 2, "b": 2, "d": 2}


def test_each_is_told_as_if_it_had_written_itself(browser: Browser, store: FullStore) -> None:
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    (other,) = crowd.join(assign(b=2))

    with (
        received(signals.conflict) as conflicts,
        received(signals.merged) as merged,
        received(signals.saved) as saved,
    ):
        crowd.commit()

    for events in (conflicts, merged, saved):
        assert {frozenset(event["keys"]) for event in events} == {frozenset("a"), frozenset("b")}
        assert [id(event["session"]) for event in events] == [id(crowd.first), id(other)]


@pytest.mark.parametrize(
    "change",
    [
        increment,
        lambda session: session.flash.__setitem__("note", "saved"),
        lambda session: session["queue"].append(2),
        lambda session: session.set_expiry(60),
    ],
    ids=["mutate", "flash", "queue", "expiry"],
)
def test_what_takes_more_than_bytes_each_writes_itself(
    change: Change, make_manager: MakeManager, store: FullStore
) -> None:
    browser = Browser(make_manager(queues=("queue",)))
    browser.put(queue=[1])
    crowd = Crowd(browser, store, assign(a=1))
    crowd.join(change, change)
    crowd.commit()
    assert store.calls == ["get", "swap"] * 3
    assert [other.result() for other in crowd.others] == [None] * 2
    seen = browser.see()
    assert seen["a"] == 1
    assert change is not increment or seen["count"] == 2


def test_who_counts_writes_for_others_and_counts_once(browser: Browser, store: FullStore) -> None:
    browser.put(a=1)
    crowd = Crowd(browser, store, increment)
    crowd.join(assign(a=2), increment, assign(b=2), increment)
    crowd.commit()
    assert store.calls == ["get", "swap"] * 3
    assert browser.see() == {"a": 2, "b": 2, "count": 3}


def test_a_passive_request_does_not_write_for_those_that_count_as_use(
    browser: Browser, store: FullStore
) -> None:
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    crowd.first.passive = True
    crowd.join(assign(b=2))
    crowd.commit()
    assert store.calls == ["get", "swap", "get", "swap"]
    assert browser.see() == {"a": 2, "b": 2}


def test_whoever_is_too_large_fails_alone(make_manager: MakeManager, store: FullStore) -> None:
    browser = Browser(make_manager(max_payload=1000))
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    crowd.join(assign(b=2), assign(c="c" * 1000), assign(d=2))
    crowd.commit()
    errors = [other.exception() for other in crowd.others]
    assert [type(error) for error in errors] == [type(None), PayloadTooLarge, type(None)]
    assert browser.see() == {"a": 2, "b": 2, "d": 2}


def test_who_could_not_write_leaves_it_to_the_others(browser: Browser, store: FullStore) -> None:
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    crowd.join(assign(b=2), assign(c=2))

    def fail_once() -> None:
        store.before["swap"] = recover_after_it
        store.fail("swap")

    def recover_after_it() -> None:
        store.before["get"] = store.recover

    with pytest.raises(StoreUnavailable):
        crowd.commit(meanwhile=fail_once)

    assert store.calls == ["get", "swap", "get", "swap"]
    assert [other.result() for other in crowd.others] == [None] * 2
    assert browser.see() == {"a": 1, "b": 2, "c": 2}


def test_nobody_revives_a_session_for_another(browser: Browser, store: FullStore) -> None:
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    crowd.join(assign(b=2), assign(c=2))

    with received(signals.dropped) as dropped:
        crowd.commit(meanwhile=store.clear)

    assert sorted(key for event in dropped for key in event["keys"]) == ["a", "b", "c"]
    assert [other.result() for other in crowd.others] == [None] * 2
    assert store.records() == {}


def test_a_lost_swap_is_tried_again_for_all(browser: Browser, store: FullStore) -> None:
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    crowd.join(assign(b=2), assign(c=2))
    crowd.commit(meanwhile=lambda: store.before.update(swap=crowd._overtake))
    assert store.calls == ["get", "swap", "get", "swap"]
    assert browser.see() == {"a": 2, "b": 2, "c": 2}


def test_what_was_written_for_others_is_not_overwritten_later_in_the_request(
    browser: Browser, store: FullStore
) -> None:
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    (other,) = crowd.join(assign(b=2))
    crowd.write(Session.save)
    assert store.calls == ["get", "swap"]

    for session, key in ((crowd.first, "late a"), (other, "late b")):
        session[key] = 2
        assert browser.manager.commit(session) is None

    assert browser.see() == {"a": 2, "b": 2, "late a": 2, "late b": 2}


@pytest.mark.parametrize("who", ["first", "other"])
def test_what_may_be_undone_with_a_transaction_each_writes_itself(
    who: str, browser: Browser, store: FullStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = threading.current_thread()
    in_transaction = {
        "first": lambda: threading.current_thread() is main,
        "other": lambda: threading.current_thread() is not main,
    }
    monkeypatch.setattr(store, "in_transaction", in_transaction[who], raising=False)
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    crowd.join(assign(b=2))
    crowd.commit()
    assert store.calls == ["get", "swap", "get", "swap"]


def test_who_only_waited_has_met_no_conflict(
    browser: Browser, store: FullStore, manager: SessionManager
) -> None:
    browser.put(a=1)
    session = browser.open()
    session["a"] = 2
    (key,) = store.records()
    idle = Place(manager._lines, key)
    idle.stand_in_line()
    store.calls.clear()

    with received(signals.conflict) as conflicts, concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(manager.commit, session)

        while len(manager._lines[key].places) < 2:
            time.sleep(0.001)

        idle.leave()
        assert waiting.result() is None

    assert store.calls == ["get", "swap"]
    assert conflicts == []


def test_who_takes_too_long_is_not_waited_for(
    browser: Browser, store: FullStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessionkit.line.LONGEST_TURN", LONGEST_TURN)
    browser.put(a=1)
    crowd = Crowd(browser, store, assign(a=2))
    crowd.join(assign(b=2))
    started = time.monotonic()
    crowd.commit(meanwhile=lambda: concurrent.futures.wait(crowd.others))
    assert LONGEST_TURN <= time.monotonic() - started < LONGEST_TURN + 5
    assert store.calls == ["get", "get", "swap", "swap"]
    assert browser.see() == {"a": 2, "b": 2}


class DistantStore(FullStore):
    """Lets others run during each call."""

    def _call(self, name: str, method: cabc.Callable[..., R], *args: object) -> R:
        time.sleep(0.0001)
        return super()._call(name, method, *args)


def test_a_crowd_of_one_process_loses_nothing(make_manager: MakeManager, clock: FakeClock) -> None:
    store = DistantStore(clock)
    manager = make_manager(on=store)
    browser = Browser(manager)
    browser.put(count=0)

    def write(number: int) -> None:
        for n in range(25):
            session = browser.open()
            session[f"{number}-{n}"] = True

            if n % 5 == 0:
                increment(session)

            if n % 7 == 0:
                assert session.save()
                session[f"{number}-{n}-late"] = True

            manager.commit(session)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    late = {f"{number}-{n}-late" for number in range(8) for n in range(0, 25, 7)}
    keys = {f"{number}-{n}" for number in range(8) for n in range(25)}
    assert browser.see() == {"count": 8 * 5, **dict.fromkeys(keys | late, True)}
    assert not manager._lines
    assert store.calls.count("swap") < 8 * (25 + 4), "nobody has written for others"
