"""The session as a mapping, with its data in the cookie."""

from __future__ import annotations

import datetime
import decimal
import uuid

import pytest

from sessionkit import Session
from sessionkit.cookie import Set
from tests.core.support import Browser


def put_flash(session: Session) -> None:
    session.flash["note"] = "saved"


class TestTheMapping:
    def test_values_come_back_with_their_types(self, browser: Browser) -> None:
        values = {
            "date": datetime.date(2033, 5, 18),
            "money": decimal.Decimal("19.90"),
            "id": uuid.UUID(int=7),
            "tuple": (1, {2}, b"three"),
            "ids": {7: "seven"},
            "\N{PILE OF POO}": None,
        }
        browser.put(**values)
        assert browser.see() == values

    def test_changes_inside_of_values_are_kept(self, browser: Browser) -> None:
        browser.put(cart=["tea"])
        assert isinstance(browser.visit(lambda session: session["cart"].append("milk")), Set)
        assert browser.see() == {"cart": ["tea", "milk"]}

    def test_flash_is_used_up_when_it_is_read(self, browser: Browser) -> None:
        browser.visit(put_flash)
        assert "note" in browser.open().flash
        browser.visit(lambda session: session.flash["note"])
        assert "note" not in browser.open().flash

    def test_mutate(self, browser: Browser) -> None:
        for _ in range(3):
            browser.visit(lambda session: session.mutate("n", lambda n: n + 1, 0))

        assert browser.see() == {"n": 3}

    def test_a_value_that_cannot_be_stored_is_refused_at_the_assignment(
        self, browser: Browser
    ) -> None:
        with pytest.raises(TypeError, match="session"):
            browser.open()["x"] = object()
