"""What may be a schema, and which of its attributes are stored."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
import typing_extensions as te

from sessionkit import SessionManager
from sessionkit import Typed
from sessionkit.errors import ConfigurationError
from sessionkit.errors import ValueNotSupported
from tests.core.support import Browser
from tests.core.typed.support import Shop
from tests.core.typed.support import Special
from tests.core.typed.support import shop
from tests.security.sites import site_of


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
