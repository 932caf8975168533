from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.sqlite import SQLiteStore


class TestSchemes:
    @pytest.mark.parametrize("url", ["memory:", "memory://", "MEMORY:"])
    def test_memory(self, url: str) -> None:
        store = open_store(url)
        assert isinstance(store, MemoryStore)
        assert store.max_sessions == 100_000
        assert store.margin == 600.0

    def test_memory_with_parameters(self) -> None:
        store = open_store("memory:?max_sessions=none&margin=5.5")
        assert isinstance(store, MemoryStore)
        assert store.max_sessions is None
        assert store.margin == 5.5

    def test_sqlite(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for url, path in (
            ("sqlite:///s.db", tmp_path / "s.db"),
            ("sqlite:///var/a%20b.db", tmp_path / "var" / "a b.db"),
            ("sqlite:////var/lib/s.db", Path("/var/lib/s.db")),
        ):
            store = open_store(url)
            assert isinstance(store, SQLiteStore)
            assert store.path == str(path)
            assert not path.exists()

    @pytest.mark.parametrize(
        "url",
        ["sqlite://s.db", "sqlite:s.db", "sqlite://", "sqlite:///", "sqlite:///:memory:"],
    )
    def test_sqlite_that_is_no_file(self, url: str) -> None:
        with pytest.raises(ConfigurationError):
            open_store(url)

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("", "unknown form"),
            ("sessions.db", "unknown form"),
            ("/var/lib/sessions.db", "unknown form"),
            ("user:hunter2@host", "unknown scheme 'user'"),
            ("dbm:///x", "unknown scheme 'dbm'"),
            ("redis+proxy://:hunter2@host", "unknown scheme 'redis.proxy'"),
            ("postgresqls://u:hunter2@host/db", "unknown scheme 'postgresqls'"),
            ("hunter 2:x", "unknown form"),
        ],
    )
    def test_what_there_is_not(self, url: str, shown: str) -> None:
        with pytest.raises(ConfigurationError, match=shown) as caught:
            open_store(url)
        for example in ("memory:", "sqlite:///", "redis://", "rediss://", "unix:///"):
            assert example in str(caught.value)
        assert "hunter" not in str(caught.value)


class TestParameters:
    @pytest.mark.parametrize(
        ("url", "text"),
        [
            ("memory:?size=5", "unknown parameter 'size'; known are margin, max_sessions"),
            ("memory:?max_sessions=many", "'max_sessions' in the store URL cannot be 'many'"),
            ("memory:?max_sessions=0", "max_sessions must be at least 1"),
            ("memory:?margin=1&margin=2", "'margin' is twice"),
            ("memory://host", "no host and no path"),
            ("memory:/path", "no host and no path"),
            ("memory:#x", "%23"),
            ("sqlite:///s.db?mode=ro", "unknown parameter 'mode'"),
            ("sqlite:///s.db?durable=perhaps", "'durable'"),
            ("sqlite:///s.db?table=a-b", "table name"),
        ],
    )
    def test_what_is_wrong_is_said(self, url: str, text: str) -> None:
        with pytest.raises(ConfigurationError, match=text):
            open_store(url)

    @pytest.mark.parametrize(
        ("text", "value"),
        [("1", True), ("Yes", True), ("on", True), ("false", False), ("0", False), ("NO", False)],
    )
    def test_yes_and_no(self, text: str, value: bool) -> None:
        store = open_store(f"sqlite:///s.db?durable={text}")
        assert isinstance(store, SQLiteStore)
        assert store.durable is value


@pytest.mark.parametrize(
    ("url", "not_wanted"),
    [
        ("memory:", {"sqlite3", "redis"}),
        ("sqlite:///s.db", {"redis", "pymemcache"}),
        ("memcached://host", {"sqlite3", "redis"}),
        ("postgresql:///x", {"sqlite3", "redis", "pymemcache"}),
        (None, {"sqlite3", "redis"}),
    ],
)
def test_only_the_client_of_that_store_is_imported(url: str | None, not_wanted: set[str]) -> None:
    code = f"""if True:
        import sys
        from sessionkit.stores import open_store
        if {url!r}: open_store({url!r})
        print(*sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not not_wanted & set(done.stdout.split())
