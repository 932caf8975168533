"""What answers is no memcached, or not one that we can use."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.stores.memcached.support import name_of
from tests.stores.memcached.support import operations


class Impostor:
    """Something else at the other end: gives its answers one after the other, and hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"memcached://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    for answer in self._answers:
                        connection.recv(65536)
                        connection.sendall(answer)

    def __enter__(self) -> str:
        self._thread.start()
        return self.url

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class TestSomethingElse:
    @pytest.mark.parametrize(
        "greeting",
        [
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"-ERR unknown command 'version'\r\n",
            b"ERROR\r\n",
            b"SERVER_ERROR no\r\n",
            b"",
        ],
    )
    def test_no_memcached_at_all(self, greeting: bytes) -> None:
        with Impostor(greeting) as url:
            store = MemcachedStore(url)
            for operation in operations(
                lambda: store.get(new_key()), lambda: store.swap(new_key(), None, new_record())
            ):
                with pytest.raises(StoreUnavailable):
                    operation()

    @pytest.mark.parametrize("version", [b"1.5.22", b"1.4.39", b"0.1", b"?"])
    def test_too_old(self, version: bytes) -> None:
        too_old = pytest.raises(ConfigurationError, match=rf"{re.escape(version.decode())}.*1\.6")
        with Impostor(b"VERSION %b\r\n" % version) as url, too_old:
            MemcachedStore(url).get(new_key())

    def test_a_password_is_never_in_an_error(self) -> None:
        for answer in (b"ERROR\r\n", b"ERROR Too many open connections\r\n", b"what?\r\n"):
            with Impostor(answer, answer) as url:
                store = MemcachedStore(url.replace("//", "//shop:hunter2@"))
                with pytest.raises(StoreUnavailable) as caught:
                    store.get(new_key())
                error: BaseException | None = caught.value
                while error is not None:
                    assert "hunter2" not in f"{error!r}"
                    error = error.__cause__ or error.__context__

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"END",
            b"\r\n",
            b"END\r\nEND\r\n",
            b"VALUE\r\n",
            b"VALUE %b 0 1\r\nx\r\nEND\r\n",
            b"VALUE %b 0 x 1\r\nx\r\nEND\r\n",
            b"VALUE %b 0 -1 1\r\nx\r\nEND\r\n",
            b"VALUE %b 0 1 x\r\nx\r\nEND\r\n",
            b"VALUE %b 0 1 1\r\nxyz\r\nEND\r\n",
            b"VALUE %b 0 1 1\r\nx\r\nVALUE",
            b"VALUE another 0 1 1\r\nx\r\nEND\r\n",
            b"VALUE %b 0 100 1\r\nx\r\nEND\r\n",
            b"VALUE " + b"x" * 5000,
            os.urandom(5000) + b"\r\n",
            b"CLIENT_ERROR \xff %b\r\n",
            b"SERVER_ERROR %b\r\n",
            b"ERROR %b\r\n",
            b"SERVER_ERROR out of memory writing get response\r\n",
        ],
    )
    def test_an_answer_that_is_none(self, answer: bytes) -> None:
        key, record = new_key(), new_record()
        answer = answer.replace(b"%b", name_of(key).encode())
        with Impostor(b"VERSION 1.6.18\r\n", answer) as url:
            store = MemcachedStore(url, timeout=0.5)
            for operation in operations(
                lambda: store.get(key),
                lambda: store.swap(key, None, record),
                lambda: store.swap(key, record, record),
                lambda: store.delete(key, record),
            ):
                with pytest.raises(StoreUnavailable) as caught:
                    operation()
                assert key not in f"{caught.value} {caught.value.__cause__!r}"
