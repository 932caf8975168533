"""Every engine keeps the promises, but for those that it is said not to keep."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit.store import Store
from sessionkit.stores import open_store as open_url
from tests.engines import ENGINES
from tests.engines import Engine

from .promises import Promises


class OnEngine(Promises):
    """The promises on an engine of tests/engines.py."""

    on: t.ClassVar[Engine]

    @pytest.fixture
    def open_store(self, request: pytest.FixtureRequest) -> cabc.Callable[[], Store]:
        url = self.on.url(request)

        if self.on.shared:
            return lambda: open_url(url)

        store = open_url(url)
        return lambda: store


def _class_of(engine: Engine) -> type[OnEngine]:
    broken = frozenset() if engine.owned else frozenset({8})
    name = "Test" + "".join(c for c in engine.name.title() if c.isalnum())
    made = type(name, (OnEngine,), {"on": engine, "engine": engine.name, "broken": broken})
    return t.cast("type[OnEngine]", made)


CLASSES = [_class_of(engine) for engine in ENGINES]
globals().update({one.__name__: one for one in CLASSES})
