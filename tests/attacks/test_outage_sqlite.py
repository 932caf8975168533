"""The SQLite file cannot be read or written: nobody is logged out, and nobody waits for long."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit.stores.sqlite import SQLiteStore
from tests.privileges import own_folder

from . import disk_troubles
from . import outages
from . import sqlite_troubles as troubles
from .conftest import Log
from .sqlite_troubles import Scene
from .sqlite_troubles import Trouble
from .website import Website

pytestmark = pytest.mark.attack

SMALL_DISK = (troubles.disk_full, troubles.disk_nearly_full)


@pytest.fixture
def scene(trouble: Trouble) -> cabc.Generator[Scene, None, None]:
    folder_of = disk_troubles.small_disk if trouble in SMALL_DISK else own_folder

    with folder_of() as parent:
        folder = parent / "sessions"
        folder.mkdir()
        path = folder / "sessions.sqlite3"
        store, other_worker = SQLiteStore(path, busy_timeout=0.25), SQLiteStore(path)
        other_worker.count(0)  # has the file open: else SQLite tidies up after every error
        yield Scene(store, other_worker, folder, path)
        store.close()
        other_worker.close()


@pytest.mark.parametrize("trouble", troubles.EVERYTHING)
def test_nobody_is_logged_out(trouble: Trouble, scene: Scene, log: Log) -> None:
    outages.nobody_is_logged_out(Website(scene.store), trouble(scene), log)


@pytest.mark.parametrize("trouble", troubles.READ_ONLY)
def test_what_can_be_read_is_read(trouble: Trouble, scene: Scene, log: Log) -> None:
    outages.what_can_be_read_is_read(Website(scene.store), trouble(scene), log)


@pytest.mark.parametrize("trouble", troubles.EVERYTHING)
def test_a_site_that_goes_on_without_sessions(trouble: Trouble, scene: Scene) -> None:
    website = Website(scene.store, outage="unavailable")
    outages.a_site_goes_on_without_sessions(website, trouble(scene))


@pytest.mark.parametrize("outage", ["error", "unavailable"])
@pytest.mark.parametrize(
    "trouble",
    [*troubles.EVERYTHING, troubles.locked_by_another_process],
)
def test_who_logs_out_is_told_the_truth(trouble: Trouble, outage: str, scene: Scene) -> None:
    outages.who_logs_out_is_told_the_truth(Website(scene.store, outage=outage), trouble(scene))


@pytest.mark.parametrize("trouble", [troubles.disk_nearly_full])
def test_small_writes_between_large_ones_are_no_recovery(
    trouble: Trouble, scene: Scene, log: Log
) -> None:
    website = Website(scene.store, breaker_pause=60)
    alice, bob = website.visitor(user="alice"), website.visitor(user="alice")
    scene.other_worker.close()

    with trouble(scene):
        while alice.post("/write").status == 200:
            pass

        answers = [(bob.post("/mutate").status, alice.post("/write").status) for _ in range(5)]

    assert (200, 503) in answers
    assert len(log()) == 1
