"""Fields of a dataclass, or keys of a typed dict, are keys of the session."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit import Typed
from sessionkit import signals
from sessionkit.errors import ValueNotSupported
from tests.core.support import Browser
from tests.core.typed.support import Basket
from tests.core.typed.support import Special
from tests.core.typed.support import shop

basket = Typed(Basket, prefix="basket.")


def test_fields_are_keys_of_the_session(browser: Browser) -> None:
    moment = datetime.datetime(2031, 1, 2, tzinfo=datetime.timezone.utc)

    def view(session: t.Any) -> None:
        data = shop(session)
        data.user, data.seen = "alice", moment
        data.cart.append("tea")
        data.prices["tea"] = 5
        assert data.total() == 5

    browser.visit(view)
    assert browser.see() == {
        "user": "alice",
        "seen": moment,
        "cart": ["tea"],
        "prices": {"tea": 5},
    }
    browser.visit(lambda session: shop(session).cart.append("milk"))
    assert browser.see()["cart"] == ["tea", "milk"]


def test_looking_makes_no_session(browser: Browser) -> None:
    def view(session: t.Any) -> None:
        data = shop(session)
        assert (data.cart, data.prices, data.currency, data.seen) == ([], {}, "EUR", None)
        assert data.cart is data.cart is shop(session).cart

    assert browser.visit(view) is None


def test_what_has_no_default_must_be_there(browser: Browser) -> None:
    session = browser.open()
    with pytest.raises(AttributeError, match="no 'user', and it has no default"):
        _ = shop(session).user


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("currency", 5, "must be str, not int"),
        ("currency", None, "must be str, not NoneType"),
        ("cart", ["tea", 7], r"must be list\[str\], not list"),
        ("prices", {"tea": "secret"}, r"must be dict\[str, int\], not dict"),
        ("seen", "today", "not str"),
    ],
)
def test_what_is_assigned_is_checked(
    browser: Browser, field: str, value: object, wanted: str
) -> None:
    session = browser.open()
    with pytest.raises(ValueNotSupported, match=wanted) as caught:
        setattr(shop(session), field, value)
    assert field in str(caught.value)
    assert "secret" not in str(caught.value)
    assert dict(session) == {}


def test_an_attribute_that_is_no_field_is_refused(browser: Browser) -> None:
    with pytest.raises(AttributeError, match="Shop has no field 'curency'"):
        shop(browser.open()).curency = "CHF"  # type: ignore[attr-defined]


def test_an_old_value_that_does_not_fit_costs_the_field_only(
    browser: Browser, manager: SessionManager
) -> None:
    browser.put(user="alice", cart="tea,milk", currency=7)
    told: list[set[str]] = []

    def note(sender: object, *, keys: set[str], reason: str, **_: object) -> None:
        assert reason == "type"
        told.append(keys)

    with signals.dropped.connected_to(note, sender=manager):
        session = browser.open()
        assert (shop(session).user, shop(session).currency) == ("alice", "EUR")
        assert told == [{"currency"}]

    browser.visit(lambda session: shop(session).cart.append("tea"))
    assert browser.see() == {"user": "alice", "cart": ["tea"], "currency": 7}


def test_two_requests_that_change_different_fields_both_win(browser: Browser) -> None:
    browser.put(user="alice")
    first, second = browser.open(), browser.open()
    shop(first).cart.append("tea")
    shop(second).currency = "CHF"
    browser.manager.commit(first)
    browser.manager.commit(second)
    assert browser.see() == {"user": "alice", "cart": ["tea"], "currency": "CHF"}


def test_a_typed_dict_is_a_mapping_of_its_keys(browser: Browser) -> None:
    def view(session: t.Any) -> None:
        data = basket(session)
        assert dict(data) == {}
        data["items"] = ["tea"]
        data["items"].append("milk")
        data["note"] = "hurry"
        del data["note"]
        assert ("items" in data, "note" in data, data.get("note")) == (True, False, None)
        with pytest.raises(ValueNotSupported, match="must be str"):
            data["note"] = 7  # type: ignore[typeddict-item]
        with pytest.raises(KeyError):
            data["other"] = 7  # type: ignore[typeddict-unknown-key]

    browser.visit(view)
    assert browser.see() == {"basket.items": ["tea", "milk"]}


def test_nothing_is_shown_of_the_values(browser: Browser) -> None:
    session = browser.open()
    shop(session).user = "s3cret"
    basket(session)["note"] = "s3cret"
    assert "s3cret" not in repr(shop(session)) + repr(basket(session))


def test_a_default_that_can_change_is_nobody_elses(browser: Browser) -> None:
    special = Typed(Special)
    special(browser.open()).rows[0].append(1)
    assert special(browser.open()).rows == ([],)
    browser.visit(lambda session: special(session).rows[0].append(2))
    assert browser.see() == {"rows": ([2],)}


def test_a_default_that_was_changed_is_the_value_at_once(browser: Browser) -> None:
    session = browser.open()
    shop(session).cart.append("tea")
    assert (session["cart"], list(session), bool(session)) == (["tea"], ["cart"], True)
    del shop(session).cart
    assert dict(session) == {}
    with pytest.raises(AttributeError, match="no 'cart'"):
        del shop(session).cart


def test_a_default_in_use_shows_what_another_request_has_put_there(browser: Browser) -> None:
    browser.put(user="alice")
    first, second = browser.open(), browser.open()
    held = shop(first).cart
    shop(second).cart.append("tea")
    browser.manager.commit(second)
    first["other"] = 1
    assert first.save()
    held.append("milk")
    browser.manager.commit(first)
    assert browser.see()["cart"] == ["tea", "milk"]


def test_a_value_is_checked_once_in_a_request(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.put(cart=["tea"])
    checks: list[object] = []
    checker = t.cast(t.Any, shop)._checker
    fits = checker.fits

    def counted(value: object, annotation: object) -> bool:
        checks.append(value)
        return bool(fits(value, annotation))

    monkeypatch.setattr(checker, "fits", counted)

    def view(session: t.Any) -> None:
        for _ in range(10):
            shop(session).cart.append("milk")
        shop(session).cart.append(t.cast(t.Any, 7))
        assert len(shop(session).cart) == 12

    browser.visit(view)
    assert len(checks) == 1
    assert shop(browser.open()).cart == [], "the next request does not believe it"
