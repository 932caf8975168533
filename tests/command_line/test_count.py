"""``python -m sessionkit count`` as an administrator runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.stores import open_store
from tests.command_line.support import run
from tests.command_line.support import run_on_terminal
from tests.core.support import Browser


@pytest.fixture(params=["sqlite", "file", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of three sessions with an owner and two without; one was ended, one renewed."""
    places = {"sqlite": f"sqlite:///{tmp_path}/s.sqlite3", "file": f"file:///{tmp_path}/sessions"}
    url: str = places.get(request.param) or request.getfixturevalue("redis_url")
    manager = SessionManager(open_store(url))

    for number in range(3):
        Browser(manager).log_in(f"user {number}")

    browsers = [Browser(manager) for _ in range(3)]

    for browser, view in zip(browsers, (Session.renew, Session.destroy, repr), strict=True):
        browser.put(a=1)
        browser.visit(view)

    manager.close()
    return url


def test_those_with_and_those_without_an_owner_are_told(url: str) -> None:
    done = run("count", url)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "sessions: 5; with an owner: 3, without: 2\n",
        "",
    )
    assert run("count", "--env", "SESSION_STORE", SESSION_STORE=url).stdout == done.stdout


def test_on_a_terminal_there_is_a_progress_bar(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.sqlite3"
    Browser(SessionManager(open_store(url))).put(a=1)
    shown = run_on_terminal("count", url)
    assert shown.output == "sessions: 1; with an owner: 0, without: 1\n"
    assert "sessions: " in shown.terminal


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("memcached://127.0.0.1:1", 2, "MemcachedStore cannot go through its sessions"),
        ("redis://:hunter2@127.0.0.1:1/0", 1, "127.0.0.1"),
        ("sqlite:////nowhere/at/all.sqlite3", 2, "there is nothing at /nowhere/at/all.sqlite3"),
        ("memory:", 2, "only it can reach"),
    ],
)
def test_what_cannot_be_done_is_said(url: str, status: int, text: str) -> None:
    done = run("count", url)
    assert (done.returncode, done.stdout) == (status, "")
    assert text in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
