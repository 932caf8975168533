"""A schema that has changed since the session was written."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import Typed
from sessionkit.errors import ValueNotSupported
from tests.core.support import Browser
from tests.core.typed.support import Basket
from tests.core.typed.support import second


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
