"""The demo on a real server, and its visitors."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from tests.demo.server import DemoServer
from tests.demo.visitor import Visitor

MakeVisitor = cabc.Callable[[], Visitor]


@pytest.fixture(scope="session")
def demo(start_server: cabc.Callable[..., DemoServer]) -> DemoServer:
    return start_server(DemoServer)


@pytest.fixture
def make_visitor(demo: DemoServer) -> MakeVisitor:
    return lambda: Visitor(demo.url)


@pytest.fixture
def visitor(make_visitor: MakeVisitor) -> Visitor:
    return make_visitor()
