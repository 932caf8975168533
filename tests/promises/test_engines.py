"""Every engine keeps the promises, but for those that it is said not to keep."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit.store import Store
from sessionkit.stores import open_store as open_url
from tests.engines import ENGINES
from tests.engines import Engine

from .promises import StorePromises


class OnEngine(StorePromises):
    """The promises on an engine of tests/engines.py."""

    engine: t.ClassVar[Engine]

    @pytest.fixture
    def open_store(self, request: pytest.FixtureRequest) -> cabc.Callable[[], Store]:
        url = self.engine.url(request)

        if self.engine.shared:
            return lambda: open_url(url)

        store = open_url(url)
        return lambda: store


def _class_of(engine: Engine) -> type[OnEngine]:
    name = "Test" + "".join(c for c in engine.name.title() if c.isalnum())
    instead = {} if engine.owned else {8: "an error"}
    made = type(name, (OnEngine,), {"engine": engine, "place": engine.name, "instead": instead})
    return t.cast("type[OnEngine]", made)


CLASSES = [_class_of(engine) for engine in ENGINES]
globals().update({one.__name__: one for one in CLASSES})
