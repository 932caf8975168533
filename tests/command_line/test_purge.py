"""``python -m sessionkit purge`` as an administrator runs it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.command_line.support import run
from tests.command_line.support import run_on_terminal


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store of 2,500 sessions that have expired, and one that has not."""
    store = SQLiteStore(tmp_path / "sessions.sqlite3")
    for _ in range(2500):
        assert store.swap(new_key(), None, new_record(expires_at=0.0))
    assert store.swap(new_key(), None, new_record(expires_at=time.time() + 60))
    return f"sqlite:///{tmp_path}/sessions.sqlite3"


def test_what_has_expired_is_removed(url: str) -> None:
    done = run("purge", url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2500 expired sessions removed\n", "")
    assert run("purge", url).stdout == "0 expired sessions removed\n"
    assert SQLiteStore(url.removeprefix("sqlite:///")).count(time.time()) == 1


def test_a_password_need_not_be_an_argument(url: str) -> None:
    done = run("purge", "--env", "SESSION_STORE", SESSION_STORE=url)
    assert (done.returncode, done.stdout) == (0, "2500 expired sessions removed\n")
    done = run("purge", "--env", "NOT_THERE")
    assert (done.returncode, done.stderr) == (
        2,
        "sessionkit: the environment has no variable 'NOT_THERE'\n",
    )


def test_on_a_terminal_there_is_a_progress_bar(url: str) -> None:
    shown = run_on_terminal("purge", url)
    assert shown.output == "2500 expired sessions removed\n"
    assert "expired sessions: " in shown.terminal


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("redis://:hunter2@127.0.0.1:1/0", 2, "RedisStore has nothing to purge"),
        ("sqlite:////nowhere/at/all.sqlite3", 2, "there is nothing at /nowhere/at/all.sqlite3"),
        ("file:////nowhere/at/all", 2, "there is nothing at /nowhere/at/all"),
        ("postgresql://:hunter2@127.0.0.1:1/none", 1, "127.0.0.1"),
        ("memory:", 2, "only it can reach"),
        ("nonsense:", 2, "unknown scheme 'nonsense'"),
    ],
)
def test_what_cannot_be_done_is_said(url: str, status: int, text: str) -> None:
    done = run("purge", url)
    assert done.returncode == status
    assert text in done.stderr
    assert done.stderr.startswith("sessionkit: ")
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_path_makes_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in "sqlite:///sessions.sqlite3", "file:///sessions":
        done = run("purge", url)
        assert (done.returncode, done.stdout) == (2, "")
        assert "the current directory" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_embedded_store_makes_its_own_tables(url: str) -> None:
    for command in "schema", "create-schema":
        done = run(command, url)
        assert (done.returncode, done.stdout) == (2, "")
        assert "needs no schema" in done.stderr
