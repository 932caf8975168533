"""What is on the disk when a write returns, and when the disk is full."""

from __future__ import annotations

import functools
import os
import resource
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.stores.file.support import file_of
from tests.stores.file.support import replace
from tests.stores.file.support import write


@pytest.fixture
def small_files() -> t.Generator[t.Callable[[int], None], None, None]:
    """A function that sets how large a file may be, as a quota or a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 40, 100, 1000, 3000, 4095])
def test_a_full_disk_leaves_what_there_was(
    store: FileStore, small_files: t.Callable[[int], None], room: int
) -> None:
    key = write(store)
    record, names = store.get(key), sorted(file_of(store, key).parent.iterdir())
    assert record is not None
    small_files(room)
    for size in (2500, 10_000) if room > 2048 else (100, 10_000):
        for change in (
            functools.partial(store.swap, key, record, successor(record, bytes(size))),
            functools.partial(store.swap, key[:2] + new_key()[2:], None, new_record(bytes(size))),
        ):
            with pytest.raises(StoreUnavailable, match="File too large") as caught:
                change()
            assert caught.value.unreachable is False
            assert store.get(key) == record
    small_files(resource.RLIM_INFINITY)
    assert sorted(file_of(store, key).parent.iterdir()) == names
    assert store.count(0.0) == 1
    replace(store, key)


def plant_a_folder(store: FileStore, key: str) -> None:
    file_of(store, key).unlink()
    file_of(store, key).mkdir()


def remove_the_file_and_open_the_index(store: FileStore, key: str) -> None:
    file_of(store, key).unlink()
    Path(store.path, "owners").chmod(0o777)


@pytest.mark.parametrize("damage", [plant_a_folder, remove_the_file_and_open_the_index])
def test_no_error_names_a_key(store: FileStore, damage: t.Callable[[FileStore, str], None]) -> None:
    key = write(store)
    damage(store, key)
    with pytest.raises(StoreUnavailable, match=f"^{store.path}") as caught:
        store.swap(key, None, new_record(owner="ann"))
    error: BaseException | None = caught.value
    while error is not None:
        assert key not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


class TestDurability:
    @pytest.fixture
    def flushed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What is flushed to the disk."""
        names: list[str] = []

        def spy(flush: t.Callable[[int], None], descriptor: int) -> None:
            names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
            flush(descriptor)

        monkeypatch.setattr(os, "fsync", functools.partial(spy, os.fsync))
        monkeypatch.setattr(os, "fdatasync", functools.partial(spy, os.fdatasync))
        return names

    def test_everything_is_flushed_before_it_is_acknowledged(
        self, path: Path, flushed: list[str]
    ) -> None:
        store = FileStore(path, durable=True)
        key = write(store)
        assert flushed == [
            path.parent.name,
            path.name,
            path.name,
            "owners",
            flushed[4],
            key,
            key[:2],
        ]
        flushed.clear()
        record = replace(store, key)
        assert flushed == [key]
        flushed.clear()
        record = replace(store, key, bytes(5000))
        assert flushed == ["new", key[:2]]
        flushed.clear()
        store.delete(key, record)
        assert flushed == [key[:2]]

    def test_otherwise_only_what_would_be_lost_as_a_whole(
        self, path: Path, flushed: list[str]
    ) -> None:
        store = FileStore(path)
        key = write(store)
        record = replace(store, key)
        assert flushed == []
        store.delete(key, replace(store, key, bytes(5000)))
        assert flushed == ["new"]
        assert record.version > 0
