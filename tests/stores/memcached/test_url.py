"""What a store is made of: URLs."""

from __future__ import annotations

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.stores.memcached import MemcachedStore
from tests.stores.wrong_urls import assert_refused_without_its_password


class TestURL:
    def test_parameters(self) -> None:
        store = open_store(
            "memcached://host:1234,[::1],other/?prefix=shop%3A&margin=60&timeout=2"
            "&connect_timeout=3&max_idle=4"
        )
        assert isinstance(store, MemcachedStore)
        assert (store.prefix, store.margin) == ("shop:", 60.0)
        assert repr(store) == "<MemcachedStore host:1234,[::1]:11211,other:11211 prefix='shop:'>"

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("memcached://HOST", "host:11211"),
            ("memcached://user:secret@host:1", "host:1"),
            ("memcached:///run/mem%20cached.sock", "/run/mem cached.sock"),
            ("memcached:/run/memcached.sock", "/run/memcached.sock"),
            ("memcached://[2001:db8::1]:1,a", "[2001:db8::1]:1,a:11211"),
        ],
    )
    def test_what_is_shown(self, url: str, shown: str) -> None:
        assert repr(open_store(url)) == f"<MemcachedStore {shown} prefix='sessionkit:'>"

    @pytest.mark.parametrize(
        "url",
        [
            "memcached:",
            "memcached://",
            "memcached:///",
            "memcached://host,",
            "memcached://a b",
            "memcached://host:port",
            "memcached://host:0",
            "memcached://host:65536",
            "memcached://::1",
            "memcached://host/path",
            "memcached://user:secret@host?unknown=secret",
            "memcached://user:secret@host?margin=secret",
            "memcached://user:secret@host#x",
            "memcached://user:sec/ret@host",
            "memcached://user:sec?ret@host",
            "memcached://user:secret@host:secret",
            "memcached://secret@host",
            "memcached://:secret@host",
            "memcached://user:secret@host/path",
            "memcached://user:secret@host?prefix=a&prefix=b",
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str) -> None:
        assert_refused_without_its_password(url)

    def test_parameters_are_for_open_store(self) -> None:
        with pytest.raises(ConfigurationError, match="open_store"):
            MemcachedStore("memcached://host?prefix=x")


def test_a_client_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pymemcache", None)
    for name in ("memcached", "_memcached_connection", "_memcached_servers", "_memcached_sources"):
        monkeypatch.delitem(sys.modules, f"sessionkit.stores.{name}")
    with pytest.raises(ConfigurationError, match=r'pip install "wsgi-sessionkit\[memcached\]"'):
        open_store("memcached://host")
