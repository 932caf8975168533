"""The session as a mapping: what goes in comes out, or is refused."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import typing as t

import pytest
from markupsafe import Markup

from sessionkit import Session
from sessionkit import signals
from sessionkit.errors import ValueNotSupported
from sessionkit.store import Record
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import received


class TestMapping:
    def test_it_is_a_mutable_mapping(self, browser: Browser) -> None:
        session = browser.open()
        assert isinstance(session, cabc.MutableMapping)
        session.update(a=1, b=2)
        assert session.setdefault("c", []) == []
        assert (session["a"], session.get("b"), session.get("x"), session.get("x", 0)) == (
            1,
            2,
            None,
            0,
        )
        assert (len(session), sorted(session), "a" in session, "x" in session) == (
            3,
            ["a", "b", "c"],
            True,
            False,
        )
        assert session == {"a": 1, "b": 2, "c": []}
        assert session != {"a": 1}
        assert session.pop("a") == 1
        assert session.pop("a", None) is None
        assert session.copy() == {"b": 2, "c": []}
        del session["b"]
        assert session.popitem() == ("c", [])
        assert not session

    def test_missing_keys_raise_key_error(self, browser: Browser) -> None:
        session = browser.open()

        with pytest.raises(KeyError, match="x"):
            session["x"]

        with pytest.raises(KeyError, match="x"):
            del session["x"]

    def test_a_stored_none_differs_from_a_missing_key(self, browser: Browser) -> None:
        browser.put(a=None)
        session = browser.open()
        assert "a" in session
        assert session.get("a", "default") is None

    def test_values_come_back_in_the_next_request(self, browser: Browser) -> None:
        browser.put(user="ann", cart=[1, {"a": (2, 3)}], when=datetime.date(2024, 2, 29))
        assert browser.see() == {
            "user": "ann",
            "cart": [1, {"a": (2, 3)}],
            "when": datetime.date(2024, 2, 29),
        }

    def test_nested_changes_are_saved(self, browser: Browser) -> None:
        browser.put(cart={"items": []})
        browser.visit(lambda session: session["cart"]["items"].append("tea"))
        browser.visit(lambda session: session.get("cart", {})["items"].append("milk"))
        browser.visit(lambda session: next(iter(session.values()))["items"].append("jam"))
        assert browser.see() == {"cart": {"items": ["tea", "milk", "jam"]}}

    @pytest.mark.parametrize("key", [1, None, b"a", ("a",), Markup("a")])
    def test_keys_are_text_and_nothing_else(self, browser: Browser, key: t.Any) -> None:
        session = browser.open()

        with pytest.raises(TypeError, match="keys of a session are text"):
            session[key] = 1

        with pytest.raises(TypeError, match="keys of a session are text"):
            session.mutate(key, lambda value: value)

        assert key not in session
        assert session.get(key) is None

    def test_a_key_that_cannot_be_stored_is_refused_at_once(self, browser: Browser) -> None:
        with pytest.raises(ValueNotSupported, match="surrogates"):
            browser.open()["\ud800"] = 1

        browser.visit(lambda session: session.update({"ключ": 1, "": 2}))
        assert browser.see() == {"ключ": 1, "": 2}

    def test_unhashable_keys_are_never_in_it(self, browser: Browser) -> None:
        unhashable: object = []
        assert unhashable not in browser.open()

    def test_a_value_that_cannot_be_stored_is_refused_where_it_is_assigned(
        self, browser: Browser
    ) -> None:
        with pytest.raises(ValueNotSupported, match=r"session\['form'\]\[0\]"):
            browser.open()["form"] = [object()]

    def test_a_nested_one_is_named_at_the_commit_and_nothing_is_saved(
        self, browser: Browser
    ) -> None:
        browser.put(a=1, cart=[])

        def view(session: Session) -> None:
            session["a"] = 2
            session["cart"].append(object())

        with pytest.raises(ValueNotSupported, match=r"session\['cart'\]\[0\]"):
            browser.visit(view)

        assert browser.see() == {"a": 1, "cart": []}


class TestUndecodable:
    @pytest.fixture
    def damaged(self, browser: Browser, store: FullStore) -> Browser:
        browser.put(good=1, bad="unusual")
        [(key, record)] = store.records().items()
        payload = record.payload.replace(b"unusual", b"\xc1unusua")
        assert store.memory.swap(
            key, record, Record(payload, record.version + 1, record.expires_at)
        )
        return browser

    def test_one_value_is_dropped_with_a_signal_and_never_the_session(
        self, damaged: Browser
    ) -> None:
        with received(signals.dropped) as dropped:
            assert damaged.see() == {"good": 1}

        assert [(event["keys"], event["reason"]) for event in dropped] == [({"bad"}, "undecodable")]

    def test_its_bytes_are_kept_for_those_who_can_read_them(
        self, damaged: Browser, store: FullStore
    ) -> None:
        def view(session: Session) -> None:
            assert "bad" not in session
            assert session.pop("bad", None) is None
            session["good"] = 2

        damaged.visit(view)
        [record] = store.records().values()
        assert b"\xc1unusua" in record.payload

    def test_it_can_be_replaced(self, damaged: Browser) -> None:
        damaged.put(bad="new")
        assert damaged.see() == {"good": 1, "bad": "new"}


class TestMutate:
    def test_parallel_increments_are_all_counted(self, browser: Browser) -> None:
        browser.put(a=1)
        sessions = [browser.open() for _ in range(20)]

        for session in sessions:
            session.mutate("n", lambda n: n + 1, 0)

        for session in sessions:
            browser.manager.commit(session)

        assert browser.see() == {"a": 1, "n": 20}

    def test_it_returns_the_new_value(self, browser: Browser) -> None:
        session = browser.open()
        assert session.mutate("tags", lambda tags: tags | {"a"}, set()) == {"a"}
        assert session["tags"] == {"a"}

    def test_a_failed_replay_is_reported(self, browser: Browser) -> None:
        browser.put(n=1)
        slow = browser.open()
        slow.mutate("n", lambda n: n + 1, 0)
        slow["b"] = 1
        browser.put(n="text")

        with received(signals.dropped) as dropped:
            browser.manager.commit(slow)

        assert [(e["keys"], e["reason"]) for e in dropped] == [({"n"}, "mutate_failed")]
        assert browser.see() == {"n": "text", "b": 1}
