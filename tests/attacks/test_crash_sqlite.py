"""Writers to an SQLite file are killed with ``kill -9`` at any instant."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionkit import SessionManager
from sessionkit.stores.sqlite import SQLiteStore

from . import crashes
from .conftest import Rounds
from .crashes import Ledger
from .crashes import Writers
from .website import SOAK

pytestmark = pytest.mark.attack


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.sqlite3"


@pytest.fixture
def manager(path: Path) -> SessionManager:
    return SessionManager(SQLiteStore(path))


def test_29_what_was_acknowledged_is_there_and_nothing_is_half_done(
    manager: SessionManager, path: Path, rounds: Rounds
) -> None:
    with Writers(f"sqlite:///{path}") as writers:
        rounds.changes = crashes.attack(
            writers, manager, rounds.for_seconds(1800 if SOAK else 5), longest=0.04
        )

    assert rounds.changes > 0

    names = {file.name.removeprefix(path.name) for file in path.parent.iterdir()}
    assert names == {"", "-shm", "-wal"}
    assert path.with_name(f"{path.name}-wal").stat().st_size < 64 * 2**20


def test_the_file_is_made_whoever_is_killed_while_making_it(
    manager: SessionManager, path: Path, rounds: Rounds
) -> None:
    longest = 0.03

    with Writers(f"sqlite:///{path}") as writers:
        for _ in rounds.for_seconds(300 if SOAK else 3):
            ledger = Ledger()
            writers.run(ledger, longest=longest)
            crashes.examine(manager, ledger)
            crashes.examine_everything(manager)
            rounds.changes += ledger.changes
            # On a busy machine they may all be killed before the first change.
            longest = longest if rounds.changes else 1.5 * longest
            manager.close()

            for file in path.parent.iterdir():
                file.unlink()

    assert rounds.changes > 0
