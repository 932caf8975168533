"""Applications that answer in every way that PEP 3333 allows."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

OK = "200 OK"
TEXT = ("Content-Type", "text/plain")


def count(environ: t.Any) -> bytes:
    session = environ["sessionkit.session"]
    session["n"] = session.get("n", 0) + 1
    return str(session["n"]).encode()


def plain(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    body = count(environ)
    start_response(OK, [TEXT])
    return [body]


def early(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    start_response(OK, [TEXT])
    return [count(environ)]


def generator(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
    body = count(environ)
    start_response(OK, [TEXT])
    yield body
    yield b""


def early_generator(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
    start_response(OK, [TEXT])
    yield count(environ)


def writing(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    write = start_response(OK, [TEXT])
    write(count(environ))
    return []


def writing_and_returning(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    body = count(environ)
    start_response(OK, [TEXT])(body[:0])
    return [body]


class Iterated:
    """An application as a class whose instances are the body."""

    def __init__(self, environ: t.Any, start_response: t.Any) -> None:
        self.environ, self.start_response = environ, start_response

    def __iter__(self) -> cabc.Iterator[bytes]:
        self.start_response(OK, [TEXT])
        yield count(self.environ)


APPS: tuple[t.Any, ...] = (
    plain,
    early,
    generator,
    early_generator,
    writing,
    writing_and_returning,
    Iterated,
)
