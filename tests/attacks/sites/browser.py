"""Browsers: what they are answered, which cookies they keep, and many of them at once."""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import contextlib
import http.client
import json
import socket
import typing as t
import urllib.parse

from .environment import COOKIE
from .gate import PATIENCE

Cookies = dict[str, str]
R = t.TypeVar("R")

#: What a request raises if its server dies.
BROKEN = (OSError, http.client.HTTPException)


class Answer(t.NamedTuple):
    """What a browser gets.

    :ivar cookies: what it is told to keep, or with None to forget.
    """

    status: int
    cookies: dict[str, str | None]
    text: str

    @property
    def session_id(self) -> str | None:
        return self.cookies.get(COOKIE)

    def json(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads(self.text)
        return found


class Browser:
    """A browser at a server's address. Several threads may use it at once."""

    def __init__(self, address: str, cookies: Cookies | None = None) -> None:
        self.address = address
        self.cookies = dict(cookies or {})

    def twin(self) -> Browser:
        """Return another one with a copy of the cookies."""
        return Browser(self.address, self.cookies)

    def keep(self, *answers: Answer) -> None:
        """Do with the cookies as these answers say, in this order."""
        for answer in answers:
            for name, value in answer.cookies.items():
                if value is None:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = value

    def visit(self, path: str, **query: object) -> Answer:
        """Get a page that must be there, and keep its cookies."""
        answer = self.ask(path, **query)
        assert answer.status == 200, f"{path}: {answer}"
        self.keep(answer)
        return answer

    def ask(self, path: str, form: Cookies | None = None, /, **query: object) -> Answer:
        """Get a page, or post a form; keep no cookies."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        given = {name: str(value) for name, value in query.items() if value is not None}

        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"

        with contextlib.closing(connection):
            connection.request(
                "GET" if form is None else "POST",
                f"{path}?{urllib.parse.urlencode(given)}",
                None if form is None else urllib.parse.urlencode(form),
                headers,
            )
            response = connection.getresponse()
            cookies = dict(map(_cookie, response.headers.get_all("Set-Cookie", [])))
            return Answer(response.status, cookies, response.read().decode())

    def give_up(self, path: str) -> None:
        """Ask for a page, and be gone when it begins."""
        host, _, port = self.address.partition(":")

        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            headers = f"Host: {self.address}\r\nCookie: {COOKIE}={self.cookies[COOKIE]}\r\n"
            connection.sendall(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
            connection.recv(10)

    @property
    def is_anonymous(self) -> bool:
        """Whether the cookies lead to nobody and to nothing."""
        who = self.ask("/who")
        return (who.status, who.text) == (200, "nobody") and not self.data()

    def data(self) -> dict[str, t.Any]:
        answer = self.ask("/show")
        assert answer.status == 200, answer
        return answer.json()


def at_once(
    threads: int, function: cabc.Callable[..., R], *arguments: cabc.Iterable[t.Any]
) -> list[R]:
    """Call *function* as ``map`` does, with so many calls at the same time."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, *arguments))


class Started:
    """A call that goes on while the test does something else."""

    def __init__(self, function: cabc.Callable[..., Answer], *args: t.Any, **kwargs: t.Any) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._future = self._pool.submit(function, *args, **kwargs)

    def answer(self) -> Answer:
        with self._pool:
            return self._future.result(PATIENCE)


def _cookie(header: str) -> tuple[str, str | None]:
    pair, *attributes = header.strip().split(";")
    name, _, value = pair.partition("=")
    is_deleted = any(item.strip().lower() == "max-age=0" for item in attributes)
    return name, None if is_deleted else value
