"""Writers to a folder of files are killed with ``kill -9`` at any instant."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from sessionkit import SessionManager
from sessionkit.stores.file import FileStore

from . import crashes
from .conftest import Rounds
from .crashes import Ledger
from .crashes import Writers
from .website import SOAK

pytestmark = pytest.mark.attack

_KNOWN = re.compile(r"owners/[0-9a-f]{3}/[0-9a-f]{128}|[0-9a-f]{2}/([0-9a-f]{64}|new)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def store(path: Path) -> FileStore:
    return FileStore(path)


@pytest.fixture
def manager(store: FileStore) -> SessionManager:
    return SessionManager(store)


def test_29_what_was_acknowledged_is_there_and_nothing_is_half_done(
    manager: SessionManager, store: FileStore, path: Path, rounds: Rounds
) -> None:
    with Writers(f"file:///{path}") as writers:
        rounds.changes = crashes.attack(
            writers, manager, rounds.for_seconds(1800 if SOAK else 5), longest=0.04
        )

    assert rounds.changes > 0
    assert_tidy(store, path)


def test_the_folders_are_made_whoever_is_killed_while_making_them(
    manager: SessionManager, store: FileStore, path: Path, rounds: Rounds
) -> None:
    longest = 0.03

    with Writers(f"file:///{path}") as writers:
        for turn in rounds.for_seconds(300 if SOAK else 3):
            ledger = Ledger()
            writers.run(ledger, longest=longest)
            crashes.examine(manager, ledger)
            crashes.examine_everything(manager)
            rounds.changes += ledger.changes
            # On a busy machine they may all be killed before the first change.
            longest = longest if rounds.changes else 1.5 * longest
            assert_tidy(store, path)
            path.rename(path.with_name(f"before {turn}"))

    assert rounds.changes > 0


def assert_tidy(store: FileStore, path: Path) -> None:
    """The killed have left at most one file in each folder that is no session's, until a sweep."""
    files = {str(file.relative_to(path)) for file in path.rglob("*") if not file.is_dir()}
    assert [name for name in files if not _KNOWN.fullmatch(name)] == []

    keys = set(store.keys())
    assert store.sweep(math.inf) == len(keys)
    assert [file for file in path.rglob("*") if not file.is_dir()] == []
