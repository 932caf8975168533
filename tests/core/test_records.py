"""Records that are damaged, too new, over, or too large."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import signals
from sessionkit.errors import NewerFormat
from sessionkit.errors import PayloadTooLarge
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import NEWER
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import received


def replace_payload(store: FullStore, payload: bytes) -> None:
    for key, record in store.records().items():
        changed = record._replace(payload=payload, version=record.version + 1)
        assert store.memory.swap(key, record, changed)


class TestRecords:
    @pytest.mark.parametrize(
        "payload",
        [b"", b"\0", b"null", b"[]", b"\x01", b"\x01L", b"\x80\x04K\x01.", b"\xfe" * 99],
    )
    def test_a_damaged_record_is_an_absent_one(
        self, browser: Browser, store: FullStore, payload: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser.put(a="secret")
        replace_payload(store, payload)

        with received(signals.rejected) as rejected:
            assert browser.see() == {}

        assert [event["reason"] for event in rejected] == ["corrupt"]
        assert len(caplog.messages) == 1
        assert str(browser.value) not in caplog.text

    def test_every_truncation_is_noticed(self, browser: Browser, store: FullStore) -> None:
        browser.put(a="value")
        [record] = store.records().values()

        for length in range(len(record.payload)):
            replace_payload(store, record.payload[:length])
            assert browser.see() == {}

    def test_a_newer_format_is_unavailable_and_never_overwritten(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        value = browser.value
        replace_payload(store, NEWER)
        stored = store.records()

        with pytest.raises(NewerFormat):
            browser.put(a=2)

        with pytest.raises(StoreUnavailable):
            browser.manager.save(browser.open())

        assert browser.open().state == "unavailable"
        assert (store.records(), browser.value) == (stored, value)

    def test_a_newer_format_that_appears_meanwhile_is_not_overwritten(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        session = browser.open()
        session["a"] = 2
        replace_payload(store, NEWER)

        with pytest.raises(NewerFormat):
            browser.manager.commit(session)

        assert [record.payload for record in store.records().values()] == [NEWER]

    def test_an_expired_record_is_an_absent_one(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        clock.advance(DAY)

        with received(signals.expired) as expired:
            assert browser.open().state == "new"

        assert expired == [{"session": None, "owned": False}]

    def test_an_expired_id_is_not_revived(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        expired = browser.value
        clock.advance(DAY)
        browser.put(b=1)
        assert browser.value != expired
        assert browser.see() == {"b": 1}


class TestPayloadLimit:
    def test_it_names_itself_and_the_largest_keys(
        self, make_manager: MakeManager, store: FullStore
    ) -> None:
        browser = Browser(make_manager(max_payload=1000))
        browser.put(a=1)

        with pytest.raises(PayloadTooLarge, match="max_payload allows 1000") as raised:
            browser.put(big="x" * 2000, small=1)

        assert raised.value.largest[0][0] == "big"
        assert raised.value.size > 2000
        assert "xxx" not in str(raised.value)
        assert browser.see() == {"a": 1}

    def test_deep_nesting_is_refused_and_crashes_nothing(self, browser: Browser) -> None:
        nested: list[t.Any] = []

        for _ in range(100_000):
            nested = [nested]

        with pytest.raises(TypeError, match="nested"):
            browser.put(nested=nested)
