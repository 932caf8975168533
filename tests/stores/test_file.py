from __future__ import annotations

import contextlib
import functools
import math
import os
import shutil
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Enumerable
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores import open_store
from sessionkit.stores.file import FileStore
from sessionkit.testing import StoreConformance
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from sessionkit.testing._support import in_threads
from tests.stores.files import assert_works
from tests.stores.files import every_operation
from tests.stores.files import file_of
from tests.stores.files import files
from tests.stores.files import fork
from tests.stores.files import replace
from tests.stores.files import wait
from tests.stores.files import write


class TestFileStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Owned, Sweepable, Enumerable})

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return FileStore(tmp_path / "sessions")

    def opener(self, store: Store) -> t.Callable[[], Store]:
        assert isinstance(store, FileStore)
        return functools.partial(FileStore, store.path)

    def neighbour(self, store: Store) -> Store:
        assert isinstance(store, FileStore)
        return FileStore(f"{store.path}.others")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def store(path: Path) -> FileStore:
    return FileStore(path)


class TestFolder:
    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
    def test_nobody_else_can_read_it(self, store: FileStore, umask: int) -> None:
        before = os.umask(umask)
        try:
            key = write(store)
            replace(store, key, bytes(5000))
        finally:
            os.umask(before)
        found = [Path(store.path), *Path(store.path).rglob("*")]
        assert len(found) == 6
        for file in found:
            assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600), file

    def test_nothing_is_made_before_it_is_used(self, path: Path) -> None:
        FileStore(path)
        assert not path.exists()

    def test_a_relative_path_is_where_we_were_when_it_was_given(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(path.parent)
        store = FileStore(path.name)
        monkeypatch.chdir("/")
        write(store)
        assert path.exists()

    @pytest.mark.parametrize("name", ["a b", "50%", "what?", "#1", "%41", "\N{SNOWMAN}", "-rf"])
    def test_odd_names(self, path: Path, name: str) -> None:
        assert_works(FileStore(path.with_name(name)))
        assert path.with_name(name).is_dir()

    def test_names_are_digests(self, store: FileStore) -> None:
        key = write(store, owner="ann@example.org")
        first, second = sorted(files(store), key=len)
        assert first == key
        assert second.endswith(key)
        assert "ann" not in "".join(str(file) for file in Path(store.path).rglob("*"))

    def test_what_else_is_in_it_is_left_alone(self, store: FileStore, path: Path) -> None:
        key = write(store)
        others = [path / "mine", path / key[:2] / "mine", path / "abc", path / "owners" / "mine"]
        for file in others:
            file.write_text("mine")
            os.utime(file, (0, 0))
        assert list(store.keys()) == [key]
        assert store.sweep(math.inf) == 1
        assert store.clear() == 0
        assert sorted(files(store)) == sorted(file.name for file in others)

    def test_threads_that_start_at_once(self, path: Path) -> None:
        for turn in range(10):
            folder = path.with_name(str(turn))
            in_threads([functools.partial(write, FileStore(folder)) for _ in range(8)])
            assert FileStore(folder).count(time.time()) == 8

    def test_processes_that_start_at_once(self, path: Path) -> None:
        for turn in range(5):
            folder = path.with_name(str(turn))
            children = [fork(functools.partial(write, FileStore(folder))) for _ in range(8)]
            for child in children:
                wait(child)
            assert FileStore(folder).count(time.time()) == 8

    @pytest.mark.parametrize("key", ["", "..", f"../{'a' * 61}", f"{'a' * 63}/", "0" * 65])
    def test_a_key_is_no_path(self, store: FileStore, key: str) -> None:
        for operation in every_operation(store, key)[:4]:
            with pytest.raises(ValueError, match="64 hexadecimal"):
                operation()
        assert not Path(store.path).exists()


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


def remove(path: Path) -> None:
    shutil.rmtree(path)


def rename(path: Path) -> None:
    path.rename(path.with_name(f"before {os.urandom(4).hex()}"))


def empty(path: Path) -> None:
    for folder in path.iterdir():
        shutil.rmtree(folder)


def replace_by_another(path: Path) -> None:
    other = FileStore(path.with_name("other"))
    write(other)
    rename(path)
    Path(other.path).rename(path)


@pytest.mark.parametrize("damage", [remove, rename, empty, replace_by_another])
class TestTheFolderIsTakenAway:
    """Everybody is anonymous then, and nobody gets an error."""

    def test_while_a_store_uses_it(
        self, store: FileStore, path: Path, damage: t.Callable[[Path], None]
    ) -> None:
        for _ in range(3):
            keys = [write(store) for _ in range(50)]
            damage(path)
            assert store.get(new_key()) is None
            assert_works(store, *keys)
        assert stat.S_IMODE(path.stat().st_mode) == 0o700

    def test_while_several_stores_use_it(
        self, store: FileStore, path: Path, damage: t.Callable[[Path], None]
    ) -> None:
        others = [FileStore(path) for _ in range(2)]
        keys = [write(one) for one in (store, *others) for _ in range(20)]
        damage(path)
        new = write(others[0])
        for one in (store, *others):
            assert one.get(new) is not None
            assert_works(one, *keys)


def test_the_folder_is_taken_away_while_other_processes_write(store: FileStore, path: Path) -> None:
    keys = [write(store) for _ in range(50)]
    done = path.with_name("done")

    def keep_writing() -> None:
        while not done.exists():
            key, record = new_key(), new_record(bytes(3000), owner="ann")
            assert store.swap(key, None, record)
            store.swap(key, record, successor(record, bytes(5)))
        assert not any(store.get(key) for key in keys)
        assert write(store) in store.owned_by("ann", 0.0)

    children = [fork(keep_writing) for _ in range(3)]
    for _ in range(10):
        time.sleep(0.03)
        with contextlib.suppress(FileNotFoundError):  # nobody has written since
            rename(path)
    done.touch()
    for child in children:
        wait(child)
    assert_works(store, *keys)


class TestArguments:
    def test_no_path(self) -> None:
        with pytest.raises(ConfigurationError, match="path of a folder"):
            FileStore("")

    @pytest.mark.parametrize("name", ["margin", "busy_timeout"])
    def test_negative_numbers(self, path: Path, name: str) -> None:
        arguments: dict[str, t.Any] = {name: -1}
        with pytest.raises(ConfigurationError, match="negative"):
            FileStore(path, **arguments)

    def test_open_store(self, path: Path) -> None:
        store = open_store(f"file:///{path}?margin=5&busy_timeout=.5&durable=yes")
        assert isinstance(store, FileStore)
        assert (store.path, store.margin) == (str(path), 5.0)
        assert (store.busy_timeout, store.durable) == (0.5, True)
        assert_works(store)
        assert repr(store) == f"<FileStore {str(path)!r}>"

    def test_a_relative_url(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(path.parent)
        store = open_store("file:///a%20folder")
        assert isinstance(store, FileStore)
        assert store.path == str(path.with_name("a folder"))

    @pytest.mark.parametrize("url", ["file:", "file:/a", "file://a/b", "file:///"])
    def test_other_urls(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match=r"three slashes|path of a folder"):
            open_store(url)

    def test_an_unknown_parameter(self) -> None:
        with pytest.raises(ConfigurationError, match="unknown parameter 'mode'"):
            open_store("file:///a?mode=0644")

    def test_margin(self, path: Path) -> None:
        store = FileStore(path, margin=60)
        now = time.time()
        store.swap(new_key(), None, new_record(expires_at=now - 61))
        store.swap(new_key(), None, new_record(expires_at=now - 59))
        assert store.sweep(now) == 1

    def test_a_system_without_its_locks_is_told_of_the_alternative(self) -> None:
        program = (
            "import os, sys; sys.modules['fcntl'] = None\n"
            "for name in ('O_DIRECTORY', 'O_NOFOLLOW', 'O_NONBLOCK', 'O_CLOEXEC'): "
            "delattr(os, name)\n"
            "from sessionkit.stores import open_store; open_store('file:///a')"
        )
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert "ConfigurationError: FileStore needs the file locks" in run.stderr
        assert "use SQLiteStore" in run.stderr
