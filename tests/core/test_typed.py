"""Sessions with the attributes of a dataclass, or the keys of a TypedDict."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

import pytest
import typing_extensions as te

from sessionkit import SessionManager
from sessionkit import Typed
from sessionkit import signals
from sessionkit.errors import ConfigurationError
from sessionkit.errors import ValueNotSupported
from tests.core.support import Browser
from tests.security.sites import site_of


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

    newer: t.Any = Typed(Basket, prefix="basket.", version=2, migrate=migrate, former=["list"])
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


def split(version: int, values: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"items": values["list"].split(",")}


second: t.Any = Typed(Basket, version=2, migrate=split, former=["list"])


def test_a_migration_sees_and_removes_nothing_but_fields(browser: Browser) -> None:
    """The login of Flask-Login or Django is in the same session."""
    browser.put(_user_id="7")
    assert browser.visit(lambda session: second(session).get("items")) is None
    browser.put(list="tea,milk")
    browser.visit(lambda session: second(session).get("items"))
    assert browser.see() == {"_user_id": "7", "items": ["tea", "milk"], "__version__": 2}


def test_a_migration_takes_back_no_change_of_another_request(browser: Browser) -> None:
    browser.put(list="tea,milk")
    reading, writing = browser.open(), browser.open()
    assert second(reading)["items"] == ["tea", "milk"]
    held = second(reading)["items"]
    second(writing)["items"].append("salt")
    browser.manager.commit(writing)
    reading["other"] = 1
    assert reading.save()
    assert held == ["tea", "milk", "salt"]
    browser.manager.commit(reading)
    assert browser.see() == {"items": ["tea", "milk", "salt"], "other": 1, "__version__": 2}


def test_what_an_older_server_has_written_meanwhile_is_migrated_again(browser: Browser) -> None:
    browser.put(list="tea")
    newer, older = browser.open(), browser.open()
    assert second(newer)["items"] == ["tea"]
    older["list"] = "tea,milk"
    browser.manager.commit(older)
    browser.manager.commit(newer)
    assert browser.see() == {"list": "tea,milk"}
    browser.visit(lambda session: second(session).get("items"))
    assert browser.see() == {"items": ["tea", "milk"], "__version__": 2}


def test_a_migration_that_fails_changes_nothing(browser: Browser) -> None:
    failing = Typed(
        Basket,
        version=2,
        migrate=lambda version, values: {"note": "kept", "items": [object()]},
        former=["list"],
    )
    browser.put(list="tea")
    session = browser.open()
    with pytest.raises(ValueNotSupported, match="items"):
        failing(session).get("note")
    assert dict(session) == {"list": "tea"}


def test_a_migrated_value_can_be_read_in_a_stream(browser: Browser) -> None:
    browser.put(list="tea")
    session = browser.open()
    assert "list" in session
    browser.manager.commit(session)
    assert second(session)["items"] == ["tea"]
    assert browser.see() == {"list": "tea"}


def test_a_newer_version_is_left_alone(browser: Browser) -> None:
    browser.put(items=["tea"], __version__=3)

    def view(session: t.Any) -> None:
        second(session)["note"] = "from an older server"

    browser.visit(view)
    assert browser.see()["__version__"] == 3


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


class Extended(te.TypedDict, total=False):
    note: te.Required[str]
    count: te.NotRequired[t.Annotated[int, "how many"]]
    fixed: te.ReadOnly[te.Required[bytes]]


class More(Extended):
    more: te.NotRequired[int]


class Standard(t.TypedDict, total=False):
    note: te.Required[str]


@pytest.mark.parametrize(
    ("schema", "field", "wrong"),
    [(More, "note", 1), (More, "count", "1"), (More, "more", "1"), (Standard, "note", 1)],
)
def test_typed_dicts_of_both_libraries(
    browser: Browser, schema: type, field: str, wrong: object
) -> None:
    data: t.Any = Typed(schema)(browser.open())
    with pytest.raises(ValueNotSupported, match=field):
        data[field] = wrong
    data[field] = "right" if wrong == 1 else 1


class Mixin:
    unrelated: int

    @property
    def doubled(self) -> int:
        return int(t.cast(t.Any, self).count * 2)

    @doubled.setter
    def doubled(self, value: int) -> None:
        t.cast(t.Any, self).count = value // 2


@dataclasses.dataclass(slots=True)
class Special(Mixin):
    shared: t.ClassVar[int] = 1
    given: dataclasses.InitVar[int] = 2
    _: dataclasses.KW_ONLY
    count: t.Annotated[int, "how many"] = 3
    _session: int = 4
    rows: tuple[list[int], ...] = ([],)


class Heir(Special):
    """Without a decorator of its own."""


@pytest.mark.parametrize("schema", [Special, Heir])
def test_only_what_is_stored_is_a_field(browser: Browser, schema: type[Special]) -> None:
    special = Typed(schema)

    def view(session: t.Any) -> None:
        data: t.Any = special(session)
        data.doubled = 10
        data._session += 1
        for name in ("shared", "given", "_", "unrelated"):
            with pytest.raises(AttributeError, match=f"no field '{name}'"):
                setattr(data, name, 1)

    browser.visit(view)
    assert browser.see() == {"count": 5, "_session": 5}


# In Python 3.10 typeguard warns of list["Json"].
Json = t.Union[t.Dict[str, "Json"], t.List["Json"], str]  # noqa: UP006, UP007


@dataclasses.dataclass
class Nested:
    data: Json = ""


def test_a_type_that_contains_itself_is_checked_as_far_as_it_is_known(browser: Browser) -> None:
    nested = Typed(Nested)(browser.open())
    nested.data = {"a": [{"b": "c"}]}
    assert nested.data == {"a": [{"b": "c"}]}
    with pytest.raises(ValueNotSupported, match="not int"):
        nested.data = 7  # type: ignore[assignment]


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


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str = ""


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (Frozen, "frozen"),
        (int, "dataclass or a TypedDict"),
        (dict, "dataclass"),
        ("Shop", "dataclass"),
        (Shop("ann"), "dataclass"),
        (list[int], "without"),
    ],
)
def test_what_is_no_schema_is_refused(schema: type, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        Typed(schema)


def test_only_sessions_are_typed() -> None:
    with pytest.raises(TypeError, match="not dict"):
        shop({})


@pytest.mark.parametrize("kind", ["wsgi", "flask", "django"])
def test_the_sessions_of_all_three_ways_in_are_typed(kind: str, manager: SessionManager) -> None:
    def add(session: t.Any, query: dict[str, str]) -> str:
        shop(session).cart.append(query["item"])
        return str(shop(session).cart)

    with site_of(kind, manager) as site:
        site.views["/add"] = add
        jar = site.jar()
        assert jar.get("/add", {"item": "tea"}).body == "['tea']"
        assert jar.get("/add", {"item": "milk"}).body == "['tea', 'milk']"
        assert jar.get("/show").body == "[('cart', ['tea', 'milk'])]"
