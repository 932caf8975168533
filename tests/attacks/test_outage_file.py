"""The files cannot be read or written: nobody is logged out, and nobody waits for long."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit.stores.file import FileStore
from tests.privileges import own_folder

from . import file_troubles as troubles
from . import outages
from .conftest import Log
from .disk_troubles import small_disk
from .file_troubles import Scene
from .file_troubles import Trouble
from .website import Website

pytestmark = pytest.mark.attack


@pytest.fixture
def scene(trouble: Trouble) -> cabc.Generator[Scene, None, None]:
    with (small_disk if trouble is troubles.disk_full else own_folder)() as parent:
        disk = parent / "disk"
        disk.mkdir(0o755)
        folder = disk / "sessions"
        yield Scene(FileStore(folder, busy_timeout=0.25), folder)


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
    "trouble", [*troubles.EVERYTHING, troubles.locked_by_another_process, troubles.read_only]
)
def test_who_logs_out_is_told_the_truth(trouble: Trouble, outage: str, scene: Scene) -> None:
    outages.who_logs_out_is_told_the_truth(Website(scene.store, outage=outage), trouble(scene))
