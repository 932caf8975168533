"""``make demo``: stores, ports, Ctrl-C, and what goes wrong."""

from __future__ import annotations

import collections.abc as cabc
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.demo.frameworks import FRAMEWORKS
from tests.demo.server import DemoServer
from tests.demo.visitor import Visitor

Start = cabc.Callable[..., DemoServer]


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return url

    return f"sqlite:///{tmp_path / 'demo.sqlite3'}"


def test_a_login_survives_a_restart(store: str) -> None:
    with DemoServer(store=store) as server:
        visitor = Visitor(server.url)
        visitor.post("/flask/login", name="alice")
        visitor.post("/django/cart", item="milk")

        server.restart()

        page = visitor.get("/wsgi/")
        assert (page.owner, page.cart) == ("alice", ["milk"])


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_without_a_traceback(with_signal: signal.Signals) -> None:
    with DemoServer() as server:
        assert server.process is not None
        server.process.send_signal(with_signal)

        assert server.process.wait(10) in (0, -signal.SIGTERM)
        assert "Traceback" not in server.log.read_text()


def test_without_its_store_it_starts_and_says_what_is_wrong() -> None:
    with DemoServer(store="redis://localhost:1/0") as server:
        visitor = Visitor(server.url)
        pages = [visitor.get(f"/{at}/") for at in FRAMEWORKS]

        assert [page.status for page in pages] == [503] * 3
        assert all("cannot reach your session" in page.source for page in pages)
        assert "Traceback" not in server.log.read_text()


def complaint(store: str = "memory:", *options: str) -> str:
    """Return what a demo says that cannot start."""
    server = DemoServer(store=store)
    command = [*server.command(), *options]
    ended = subprocess.run(
        command, check=False, cwd=server.folder, capture_output=True, text=True, timeout=30
    )
    server.remove()
    assert ended.returncode == 1
    assert ended.stdout == ""
    return ended.stderr


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = complaint("memory:", "--port", str(port))

    assert said.startswith(f"Cannot listen on 127.0.0.1:{port}: Address already in use")
    assert said.count("\n") == 1


@pytest.mark.parametrize("url", ["mongo://here", "s3cret", "sqlite:", "redis://here:port/0"])
def test_a_wrong_store_is_one_line(url: str) -> None:
    said = complaint(url)

    assert said.startswith("STORE: ")
    assert "s3cret" not in said
    assert said.count("\n") == 1
