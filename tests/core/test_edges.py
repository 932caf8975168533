"""What happens where two rules meet."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.cookie import Set
from sessionkit.payload import Stub
from sessionkit.payload import unpack
from sessionkit.values import Values
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import NEWER
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore


def test_a_login_as_somebody_else_that_fails_ends_nothing(browser: Browser) -> None:
    browser.log_in("ann", a=1)
    browser.visit(lambda session: session.bind("bob"), ok=False)
    session = browser.open()
    assert (session.owner, session["a"]) == ("ann", 1)


def test_modified_alone_stores_nothing_for_a_visitor(browser: Browser, store: FullStore) -> None:
    assert browser.visit(lambda session: setattr(session, "modified", True)) is None
    assert store.records() == {}


def test_what_was_ended_in_this_request_is_new_again(browser: Browser) -> None:
    browser.put(a=1)
    session = browser.open()
    session.destroy()
    assert (session.state, session.is_new) == ("new", True)
    assert (session.created_at, session.expires_at, session.owner) == (None, None, None)


def test_length_truth_and_iteration_agree_about_what_cannot_be_decoded(
    browser: Browser, store: FullStore
) -> None:
    browser.put(a=1)
    session = browser.open()
    session.draft.values.current["a"] = b"damaged"
    assert (len(session), bool(session), list(session)) == (0, False, [])


@pytest.mark.parametrize(
    "change", [lambda s: s.unbind(keep=["cart"]), lambda s: s.bind("bob", keep=["cart"])]
)
def test_a_container_that_is_kept_is_still_watched(
    browser: Browser, change: cabc.Callable[[Session], None]
) -> None:
    browser.log_in("ann", cart=[1])

    def view(session: Session) -> None:
        cart = session["cart"]
        change(session)
        cart.append(2)

    browser.visit(view)
    assert browser.see() == {"cart": [1, 2]}


def test_a_request_that_was_overtaken_goes_on_with_what_it_has_seen(browser: Browser) -> None:
    browser.log_in("ann", a=1)
    late = browser.open()
    assert late["a"] == 1
    browser.twin().visit(lambda session: session.renew())
    late.renew()
    assert late.save() is False
    assert (late.available, late.owner, dict(late), len(late)) == (False, "ann", {"a": 1}, 1)


def test_queues_tell_values_apart_as_they_are_stored(manager: SessionManager) -> None:
    encoded = {
        name: {"queue": manager.codec.encode(items, "queue")}
        for name, items in (("base", [1]), ("ours", [1, True]), ("theirs", [1]))
    }
    values = Values(manager.codec, encoded["base"], "session")
    values.current = encoded["ours"]
    values.rebase(encoded["theirs"], queues=("queue",))
    assert [type(item) for item in values.get("queue")] == [int, bool]


class TestStart:
    ID = "chosen-by-the-server-0123456789"

    def test_the_cookie_of_a_live_session_is_sent_to_a_browser_that_lacks_it(
        self, manager: SessionManager
    ) -> None:
        manager.start(self.ID).save()
        instruction = manager.commit(manager.start(self.ID))
        assert isinstance(instruction, Set)
        assert instruction.value == self.ID

    def test_an_expired_record_is_taken_over(
        self, manager: SessionManager, store: FullStore
    ) -> None:
        first = manager.start(self.ID)
        first["old"] = 1
        manager.commit(first)
        (key,) = store.records()
        record = store.records()[key]
        assert store.swap(key, record, record._replace(version=5, expires_at=NOW - DAY))
        again = manager.start(self.ID)
        again["new"] = 2
        manager.commit(again)
        found = manager.load(self.ID)
        assert found is not None
        assert dict(found) == {"new": 2}


def test_logging_out_everywhere_ends_what_a_newer_version_has_written(
    make_manager: MakeManager, store: FullStore
) -> None:
    manager = make_manager()
    Browser(manager).log_in("ann")
    ((key, record),) = store.records().items()
    assert store.swap(key, record, record._replace(payload=NEWER, version=record.version + 1))
    assert manager.sessions_of("ann") == []
    assert manager.revoke_all("ann") == 1
    assert unpack(store.records()[key].payload) == Stub("revoked", None, {})


class Wrapper:
    """Passes everything on, as a store that measures or records would."""

    def __init__(self, store: FullStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._store, name)


def test_a_wrapper_offers_what_its_store_does(make_manager: MakeManager, store: FullStore) -> None:
    manager = make_manager(on=Wrapper(store))
    Browser(manager).log_in("ann")
    assert len(manager.sessions_of("ann")) == manager.count().live == 1
    Browser(manager).visit(lambda session: session.renew())
    assert manager.purge() == 0
