"""Applications on every store, and a store that counts and can be out of reach."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from pathlib import Path

import flask
import pytest

from flask_sessionkit import SessionKit
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores.memory import MemoryStore

MakeApp = cabc.Callable[..., flask.Flask]


class Spy(MemoryStore):
    """A memory store that says how often it was called, and can be out of reach."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.down = False

    def _called(self, name: str) -> None:
        self.calls.append(name)

        if self.down:
            raise StoreUnavailable("no answer")

    def get(self, key: str, /) -> Record | None:
        self._called("get")
        return super().get(key)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        self._called("swap")
        return super().swap(key, expected, record)

    def delete(self, key: str, expected: Record, /) -> bool:
        self._called("delete")
        return super().delete(key, expected)

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        self._called("move")
        return super().move(old_key, expected, stub, new_key, record)

    def last_calls(self) -> list[str]:
        """Return the calls since this was last asked."""
        calls, self.calls = self.calls, []
        return calls


@pytest.fixture
def spy() -> Spy:
    return Spy()


@pytest.fixture
def make_app() -> MakeApp:
    """A function that makes an application; its settings are the arguments."""

    def make(**config: t.Any) -> flask.Flask:
        app = flask.Flask("shop")
        app.config.update({"TESTING": True, "SESSIONKIT_STORE": "memory:", **config})
        SessionKit(app)
        return app

    return make


@pytest.fixture
def app(make_app: MakeApp, spy: Spy) -> flask.Flask:
    return make_app(SESSIONKIT_STORE=spy)


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every store, empty."""
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return url

    return f"sqlite:///{tmp_path}/sessions.sqlite3" if request.param == "sqlite" else "memory:"
