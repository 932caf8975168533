"""The folder: whose it is, who makes it, and what is in it."""

from __future__ import annotations

import functools
import math
import os
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing._support import in_threads
from tests.forks import fork
from tests.forks import wait
from tests.stores.file.support import assert_works
from tests.stores.file.support import every_operation
from tests.stores.file.support import files
from tests.stores.file.support import replace
from tests.stores.file.support import write


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
