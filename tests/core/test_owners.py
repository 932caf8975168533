"""An owner's sessions: listed and ended."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit.store import Record
from sessionkit.testing import FakeClock
from tests.core.support import DAY
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore


class TestOwners:
    @pytest.fixture
    def anns(self, manager: SessionManager, clock: FakeClock) -> list[Browser]:
        browsers = [Browser(manager) for _ in range(3)]

        for number, browser in enumerate(browsers):
            session = browser.open()
            session.bind("ann", device=number)
            browser.keep(manager.commit(session))
            clock.advance(1)

        Browser(manager).log_in("bob")
        return browsers

    def test_their_sessions_are_listed_the_last_seen_first(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        infos = manager.sessions_of("ann")
        assert [info.meta for info in infos] == [{"device": 2}, {"device": 1}, {"device": 0}]
        assert [info.created_at - NOW for info in infos] == [2, 1, 0]
        assert infos[0].public_id == anns[2].open().public_id
        assert infos[0].expires_at == NOW + 2 + 14 * DAY
        anns[0].put(a=1)
        assert manager.sessions_of("ann")[0].meta == {"device": 0}

    def test_nothing_listed_works_as_a_cookie(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        values = {browser.value for browser in anns}

        for info in manager.sessions_of("ann"):
            assert Browser(manager, info.public_id).open().state == "new"
            assert not values & {str(field) for field in info}

    def test_meta_that_cannot_be_decoded_any_more_hides_no_session(
        self, manager: SessionManager, anns: list[Browser], store: FullStore
    ) -> None:
        for key, record in store.records().items():
            payload = record.payload.replace(b"device", b"\xc1evice")
            assert store.memory.swap(key, record, Record(payload, record.version + 1, *record[2:]))

        assert [info.meta for info in manager.sessions_of("ann")] == [{}, {}, {}]
        assert anns[0].open().meta == {}

    def test_one_is_ended_by_its_public_id(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        public_id = t.cast(str, anns[1].open().public_id)
        assert manager.revoke("bob", public_id) is False
        assert manager.revoke("ann", public_id) is True
        assert manager.revoke("ann", public_id) is False
        assert [browser.open().owner for browser in anns] == ["ann", None, "ann"]

    def test_all_are_ended_but_the_one_that_asks(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        asking = anns[1].open()
        assert manager.revoke_all("ann", except_=asking) == 2
        assert [browser.open().owner for browser in anns] == [None, "ann", None]
        assert manager.revoke_all("ann") == 1
        assert manager.revoke_all("ann") == 0
        assert len(manager.sessions_of("bob")) == 1

    def test_one_that_was_renewed_is_found(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        anns[0].visit(lambda session: session.renew())
        assert len(manager.sessions_of("ann")) == 3
        assert manager.revoke_all("ann") == 3
        assert anns[0].see() == {}

    def test_one_that_became_somebody_elses_is_not_listed(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        anns[0].log_in("bob")
        assert len(manager.sessions_of("ann")) == 2
        assert len(manager.sessions_of("bob")) == 2

    def test_one_renewed_while_all_are_ended_is_ended_too(
        self, manager: SessionManager, anns: list[Browser], store: FullStore
    ) -> None:
        store.before["delete"] = lambda: [
            anns[n].visit(lambda session: session.renew()) for n in range(3)
        ]
        manager.revoke_all("ann")
        assert manager.sessions_of("ann") == []
        assert [browser.open().owner for browser in anns] == [None, None, None]

    def test_expired_ones_are_not_listed(
        self, manager: SessionManager, anns: list[Browser], clock: FakeClock
    ) -> None:
        clock.advance(14 * DAY - 2)
        assert [info.meta for info in manager.sessions_of("ann")] == [{"device": 2}]

    def test_owners_may_be_numbers(self, manager: SessionManager) -> None:
        Browser(manager).visit(lambda session: session.bind(7))
        assert len(manager.sessions_of(7)) == len(manager.sessions_of("7")) == 1
        assert manager.revoke_all(7) == 1
