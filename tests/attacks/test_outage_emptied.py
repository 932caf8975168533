"""What the store has forgotten is gone: everybody is anonymous, and that is all that happens."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import shutil
import sqlite3
import typing as t
from pathlib import Path

import pytest

from sessionkit.cookie import Set
from sessionkit.store import Store
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.sqlite import SQLiteStore
from tests.servers import RedisServer

from .conftest import Log
from .website import ACTIONS
from .website import Website

pytestmark = pytest.mark.attack


def truncated(path: Path) -> None:
    os.truncate(path, 0)


def deleted(path: Path) -> None:
    path.unlink()


def deleted_with_its_log(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def replaced_by_an_empty_file(path: Path) -> None:
    path.with_suffix(".new").touch()
    path.with_suffix(".new").replace(path)


def replaced_by_another_store(path: Path) -> None:
    SQLiteStore(path.with_suffix(".new")).count(0)
    path.with_suffix(".new").replace(path)


FILE: tuple[cabc.Callable[[Path], None], ...] = (
    truncated,
    deleted,
    deleted_with_its_log,
    replaced_by_an_empty_file,
    replaced_by_another_store,
)


class Emptied(t.NamedTuple):
    """A store, and how everything in it is lost."""

    store: Store
    empty: cabc.Callable[[], object]


@pytest.fixture(scope="module")
def server(start_server: cabc.Callable[..., RedisServer]) -> RedisServer:
    return start_server(RedisServer)


@pytest.fixture(
    params=[*FILE, "FLUSHALL", "restart"], ids=lambda way: getattr(way, "__name__", way)
)
def emptied(request: pytest.FixtureRequest, tmp_path: Path, server: RedisServer) -> Emptied:
    way = request.param

    if callable(way):
        path = tmp_path / "sessions.sqlite3"
        return Emptied(SQLiteStore(path), lambda: way(path))

    if way == "restart":
        return Emptied(RedisStore(server.url), server.restart)

    with server.client() as client:
        return Emptied(RedisStore(server.url), client.flushall)


def test_everybody_is_anonymous_and_can_log_in(emptied: Emptied, log: Log) -> None:
    website = Website(emptied.store)
    alice, bob = website.visitor(user="alice"), website.visitor(user="alice")
    old = alice.cookie
    emptied.empty()

    for visitor in (alice, bob):
        answer = visitor.get("/read")
        assert (answer.status, answer.text, answer.sets_cookie) == (200, "nobody", False)
        assert visitor.get("/state").text == "new, 0 keys, available True"

    assert alice.post("/logout").status == 200
    assert (alice.cookie, bob.cookie is None) == (old, False)
    assert alice.post("/login").sets_cookie
    assert (alice.get("/read").text, bob.get("/read").text) == ("alice", "nobody")
    bob.cookie = old
    assert bob.get("/read").text == "nobody"
    assert log() == []


@pytest.mark.parametrize("write", ["/write", "/mutate", "/renew", "/save", "/logout"])
def test_a_request_under_way_revives_nobody(emptied: Emptied, write: str) -> None:
    website = Website(emptied.store)
    alice = website.visitor(user="alice")
    session = website.manager.open(alice.cookie)
    assert session["user"] == "alice"
    emptied.empty()
    ACTIONS[write](session)
    assert website.manager.commit(session) is None
    assert alice.get("/read").text == "nobody"
    assert website.manager.sessions_of("alice") == []
    assert website.manager.count().live == 0


def test_a_login_under_way_is_a_session_of_its_own(emptied: Emptied) -> None:
    website = Website(emptied.store)
    alice = website.visitor(user="alice")
    session = website.manager.open(alice.cookie)
    session["cart"] = ["tea"]
    emptied.empty()
    ACTIONS["/login"](session)
    instruction = website.manager.commit(session)
    assert isinstance(instruction, Set)
    assert alice.get("/read").text == "nobody"
    alice.cookie = f"sid={instruction.value}"
    assert alice.get("/read").text == "alice"


def test_a_backup_brings_back_what_was_in_it(tmp_path: Path) -> None:
    """Also who has logged out since: what a backup does not know did not happen."""
    path, backup = tmp_path / "sessions.sqlite3", tmp_path / "backup"
    website = Website(SQLiteStore(path))
    leaving, staying = website.visitor(user="alice"), website.visitor(user="alice")
    stolen = leaving.cookie

    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(backup)) as target,
    ):
        source.backup(target)

    leaving.post("/logout")
    late = website.visitor(user="alice")
    backup.replace(path)
    assert staying.get("/read").text == "alice"
    assert late.get("/read").text == "nobody"
    leaving.cookie = stolen
    assert leaving.get("/read").text == "alice"


def test_half_a_file_is_an_outage_until_it_is_removed(tmp_path: Path, log: Log) -> None:
    path = tmp_path / "sessions.sqlite3"
    website = Website(SQLiteStore(path))
    visitors = [website.visitor(user="alice") for _ in range(50)]

    for visitor in visitors:
        assert visitor.post("/write").status == 200

    website.manager.close()
    os.truncate(path, path.stat().st_size // 2)
    answers = [visitor.get("/read") for visitor in visitors]
    assert not any(answer.sets_cookie for answer in answers)
    assert {answer.status for answer in answers} <= {200, 503}
    assert any(answer.status == 503 for answer in answers)
    assert len(log()) == 1
    shutil.move(path, tmp_path / "damaged")
    assert visitors[0].get("/read").text == "nobody"
    assert visitors[0].post("/login").status == 200
