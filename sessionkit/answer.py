"""What all three ways in do to an answer: the session's headers, and the 503 in its place."""

from __future__ import annotations

import typing as t

from . import caching
from .cookie import Instruction
from .cookie import Set
from .errors import SessionConflict
from .errors import SessionError
from .errors import StoreUnavailable

if t.TYPE_CHECKING:
    from .session import Session

#: Errors of a session that are answered 503.
UNAVAILABLE: t.Final = (StoreUnavailable, SessionConflict)

_SAFE_METHODS: t.Final = ("GET", "HEAD", "OPTIONS")
_RETRY_AFTER: t.Final = "5"

# What is added to an answer that says nothing to caches by itself.
_USUAL: t.Final = (
    ("Vary", caching.vary(None)),
    ("Cache-Control", caching.cache_control(None, sets_cookie=True)),
)


class Unavailable(t.NamedTuple):
    """The answer in place of the application's, when its session could not be read or saved."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes
    instruction: Instruction


def unavailable(error: SessionError, method: str) -> Unavailable:
    """Return the answer to a request whose session failed with *error*.

    :param method: only safe methods are invited to try again, since the request may have had its
        effects.
    """
    body = b"The service cannot reach your session at the moment. Please try again soon.\n"

    if error.instruction is not None:
        body = (
            b"You are logged out in this browser, but the server could not be told. "
            b"Please log in and out again soon.\n"
        )

    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]

    if method in _SAFE_METHODS:
        headers.append(("Retry-After", _RETRY_AFTER))

    shown = b"" if method == "HEAD" else body
    return Unavailable(503, "Service Unavailable", headers, shown, error.instruction)


def session_headers(
    session: Session,
    instruction: Instruction,
    *,
    https: bool,
    vary: str | None,
    cache_control: str | None,
) -> list[tuple[str, str]]:
    """Return the headers that replace those of the same name, and the cookies that are added.

    :param vary: the application's ``Vary`` header.
    :param cache_control: the application's ``Cache-Control`` header.
    """
    headers = plain_headers(session, instruction, vary=vary, cache_control=cache_control)

    if session.token is None and instruction is not None:
        headers.append(("Set-Cookie", session.cookie.header(instruction, https=https)))

    if session.used_cookies:
        cookies = session.custom_cookies
        headers += [("Set-Cookie", cookie.header(https=https)) for cookie in cookies]

    return headers


def plain_headers(
    session: Session, instruction: Instruction, *, vary: str | None, cache_control: str | None
) -> list[tuple[str, str]]:
    """Return what :func:`session_headers` does, but for cookies."""
    if not session.accessed and instruction is None and not session.used_cookies:
        return []

    id_header = session.manager.id_header

    if id_header is None and not vary and not cache_control:
        return [*_USUAL]

    for name in varies_with(session):
        vary = caching.vary(vary, name)

    sets_cookie = instruction is not None or bool(session.custom_cookies)
    headers = [
        ("Vary", vary or ""),
        ("Cache-Control", caching.cache_control(cache_control, sets_cookie=sets_cookie)),
    ]

    if session.token is not None and isinstance(instruction, Set) and id_header is not None:
        headers[1] = ("Cache-Control", "no-store")
        headers.append((id_header.answer_name, instruction.value))

    return headers


def varies_with(session: Session) -> tuple[str, ...]:
    """Return the names of the headers on which an answer that uses *session* depends."""
    id_header = session.manager.id_header
    return ("Cookie",) if id_header is None else ("Cookie", id_header.name)


def check_proxy(session: Session, *, https: bool, forwarded_proto: str | None) -> None:
    """Warn once if a cookie is sent without ``Secure`` although a proxy says that it speaks https.

    :param forwarded_proto: the request's ``X-Forwarded-Proto`` header.
    """
    if https or not forwarded_proto:
        return

    # Each proxy adds its own; the first spoke to the browser.
    is_https_outside = forwarded_proto.split(",")[0].strip().lower() == "https"

    if is_https_outside and not session.cookie.is_secure(https):
        session.manager.warn_about_proxy()
