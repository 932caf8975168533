"""Others on the same machine: what they can read, plant and redirect."""

from __future__ import annotations

import os
import shutil
import stat
import time
from pathlib import Path

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.stores.file.support import assert_works
from tests.stores.file.support import every_operation
from tests.stores.file.support import file_of
from tests.stores.file.support import files
from tests.stores.file.support import replace
from tests.stores.file.support import write


class TestOthers:
    """What others could have planted or could write to is refused, and is told how to be mended."""

    def refused(self, store: FileStore, reason: str, key: str = "0" * 64) -> None:
        for operation in every_operation(store, key):
            with pytest.raises(StoreUnavailable, match=reason) as caught:
                operation()
            assert caught.value.unreachable is True
            assert key not in str(caught.value)

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
    def test_a_folder_that_they_can_write_to(self, store: FileStore, path: Path, mode: int) -> None:
        path.mkdir()
        path.chmod(mode)
        self.refused(store, rf"written to by others \(mode {mode:o}\).*chmod 700")
        path.chmod(0o755)
        assert_works(store)

    @pytest.mark.parametrize("name", ["", "ab", "owners"])
    def test_a_folder_that_is_opened_to_them(self, store: FileStore, path: Path, name: str) -> None:
        key = "ab" * 32
        store.swap(key, None, new_record(owner="ann"))
        assert store.get(key) is not None
        (path / name).chmod(0o777)
        with pytest.raises(StoreUnavailable, match="by others"):
            store.owned_by("ann", 0.0) if name == "owners" else store.get(key)
        (path / name).chmod(0o700)
        assert_works(store)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
    def test_a_folder_that_is_theirs(self, store: FileStore, path: Path) -> None:
        write(store)
        os.chown(path, 65534, -1)
        self.refused(store, "belongs to user 65534, and this process is user 0: run it as")
        os.chown(path, 0, -1)
        assert_works(store)

    def test_a_link_in_place_of_the_folder(self, store: FileStore, path: Path) -> None:
        elsewhere = path.with_name("elsewhere")
        key = write(FileStore(elsewhere))
        path.symlink_to(elsewhere)
        self.refused(store, "symbolic link.*name the folder", key)
        assert len(files(FileStore(elsewhere))) == 2
        path.unlink()
        path.symlink_to("missing")
        self.refused(store, "symbolic link")

    @pytest.mark.parametrize("used", [False, True])
    def test_a_link_in_place_of_a_shard(self, store: FileStore, path: Path, used: bool) -> None:
        key, elsewhere = write(store), path.with_name("elsewhere")
        if not used:
            store = FileStore(path)
        (path / key[:2]).rename(elsewhere)
        (path / key[:2]).symlink_to(elsewhere)
        for operation in every_operation(store, key)[:4]:
            with pytest.raises(StoreUnavailable, match=r"symbolic link"):
                operation()
        assert [file.name for file in elsewhere.iterdir()] == [key]
        (path / key[:2]).unlink()
        assert_works(store, key)

    def test_a_file_in_place_of_a_shard(self, store: FileStore, path: Path) -> None:
        key = write(store)
        shutil.rmtree(path / key[:2])
        (path / key[:2]).write_text("what is this?")
        for operation in every_operation(store, key)[:4]:
            with pytest.raises(StoreUnavailable, match=r"is no folder: remove it"):
                operation()
        (path / key[:2]).unlink()
        assert_works(store, key)

    @pytest.mark.parametrize("depth", [1, 2])
    def test_a_link_in_the_index(self, store: FileStore, path: Path, depth: int) -> None:
        write(store)
        elsewhere = path.with_name("elsewhere")
        folder = path / "owners"
        if depth == 2:
            (folder,) = folder.iterdir()
        folder.rename(elsewhere)
        folder.symlink_to(elsewhere)
        before = list(elsewhere.rglob("*"))
        with pytest.raises(StoreUnavailable):
            store.owned_by("ann", 0.0)
        with pytest.raises(StoreUnavailable):
            store.swap(new_key(), None, new_record(owner="ann"))
        assert list(elsewhere.rglob("*")) == before

    @pytest.mark.parametrize("target", ["precious", "missing"])
    def test_a_link_in_place_of_a_session(self, store: FileStore, path: Path, target: str) -> None:
        key, precious = write(store), path.with_name("precious")
        precious.write_text("precious")
        file_of(store, key).unlink()
        file_of(store, key).symlink_to(path.with_name(target))
        assert store.get(key) is None
        assert store.swap(key, new_record(), new_record()) is False
        record = new_record()
        assert store.swap(key, None, record) is True
        assert store.get(key) == record
        assert not file_of(store, key).is_symlink()
        assert precious.read_text() == "precious"
        assert not path.with_name("missing").exists()

    @pytest.mark.parametrize("target", ["precious", "missing"])
    def test_a_link_in_place_of_a_file_that_is_not_finished(
        self, store: FileStore, path: Path, target: str
    ) -> None:
        key, precious = write(store), path.with_name("precious")
        precious.write_text("precious")
        (path / key[:2] / "new").symlink_to(path.with_name(target))
        replace(store, key, bytes(5000))
        assert precious.read_text() == "precious"
        assert not path.with_name("missing").exists()

    def test_what_is_no_file_is_no_session(self, store: FileStore) -> None:
        def pipe(file: Path) -> None:
            os.mkfifo(file)

        for plant in (pipe, Path.mkdir):
            key = write(store)
            file_of(store, key).unlink()
            plant(file_of(store, key))
            assert store.get(key) is None
            assert store.delete(key, new_record()) is False
            assert store.sweep(time.time()) == 0
            if plant is pipe:
                assert store.swap(key, None, new_record()) is True
            else:
                with pytest.raises(StoreUnavailable, match="Is a directory"):
                    store.swap(key, None, new_record())

    def test_a_second_name_of_a_file_is_not_written_to(self, store: FileStore, path: Path) -> None:
        key, backup = write(store), path.with_name("backup")
        os.link(file_of(store, key), backup)
        before = backup.read_bytes()
        replace(store, key)
        assert backup.read_bytes() == before

    def test_a_session_under_another_key_is_none(self, store: FileStore) -> None:
        key, other = write(store), new_key()
        Path(store.path, other[:2]).mkdir(0o700, exist_ok=True)
        os.link(file_of(store, key), file_of(store, other))
        assert store.get(other) is None
        record = new_record(b"other")
        assert store.swap(other, None, record)
        assert store.get(other) == record
        assert store.get(key) != record

    def test_a_file_that_others_could_read_is_closed_to_them(self, store: FileStore) -> None:
        key = write(store)
        file_of(store, key).chmod(0o644)
        replace(store, key)
        assert stat.S_IMODE(file_of(store, key).stat().st_mode) == 0o600
