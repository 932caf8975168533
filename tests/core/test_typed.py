"""Sessions with the attributes of a dataclass, or the keys of a TypedDict."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit import Typed
from sessionkit import signals
from sessionkit.errors import ConfigurationError
from sessionkit.errors import ValueNotSupported
from tests.core.support import Browser


@dataclasses.dataclass
class Shop:
    user: str
    cart: list[str] = dataclasses.field(default_factory=list)
    prices: dict[str, int] = dataclasses.field(default_factory=dict)
    currency: str = "EUR"
    seen: datetime.datetime | None = None

    def total(self) -> int:
        return sum(self.prices[item] for item in self.cart)


class Basket(t.TypedDict, total=False):
    items: list[str]
    note: str


shop = Typed(Shop)
basket = Typed(Basket, prefix="basket.")


@pytest.fixture
def browser(manager: SessionManager) -> Browser:
    return Browser(manager)


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


def test_an_older_version_is_migrated_once(browser: Browser) -> None:
    migrations: list[int] = []

    def migrate(version: int, values: dict[str, t.Any]) -> dict[str, t.Any]:
        migrations.append(version)
        return {"items": values["list"].split(","), "note": values.get("note", "")}

    newer = Typed(Basket, prefix="basket.", version=2, migrate=migrate)
    browser.put(other=1, **{"basket.list": "tea,milk", "basket.note": "hurry"})

    for _ in range(2):
        browser.visit(lambda session: newer(session)["items"])

    assert migrations == [1]
    assert browser.see() == {
        "other": 1,
        "basket.items": ["tea", "milk"],
        "basket.note": "hurry",
        "basket.__version__": 2,
    }


def test_a_new_session_has_the_newest_version(browser: Browser) -> None:
    newer = Typed(Basket, version=3, migrate=lambda version, values: pytest.fail("not needed"))

    def view(session: t.Any) -> None:
        newer(session)["note"] = "new"

    browser.visit(view)
    browser.visit(view)
    assert browser.see() == {"note": "new", "__version__": 3}


def test_nothing_is_shown_of_the_values(browser: Browser) -> None:
    session = browser.open()
    shop(session).user = "s3cret"
    basket(session)["note"] = "s3cret"
    assert "s3cret" not in repr(shop(session)) + repr(basket(session))


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str = ""


@pytest.mark.parametrize(
    ("schema", "text"), [(Frozen, "frozen"), (int, "dataclass or a TypedDict"), (dict, "dataclass")]
)
def test_what_is_no_schema_is_refused(schema: type, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        Typed(schema)


def test_only_sessions_are_typed() -> None:
    with pytest.raises(TypeError, match="not dict"):
        shop({})
