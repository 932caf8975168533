"""SessionMiddleware: sessions for any WSGI application (PEP 3333)."""

from __future__ import annotations

import collections.abc as cabc
import itertools
import typing as t

from .answer import UNAVAILABLE
from .answer import check_proxy
from .answer import session_headers
from .answer import unavailable
from .base_manager import BaseManager
from .cookie import Instruction
from .current import current
from .errors import ConfigurationError
from .errors import SessionError
from .nesting import open_once
from .session import Session

if t.TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment
    from typing_extensions import TypeVarTuple
    from typing_extensions import Unpack

    Arguments = TypeVarTuple("Arguments")

Headers = list[tuple[str, str]]
Write = cabc.Callable[[bytes], object]


class SessionMiddleware:
    """Gives every request of *app* a session in its environ.

    The session is committed when the application has returned its body, or at its first
    ``write()``. The body is handed on untouched. An application that begins its answer later, as a
    generator does, is treated until its first item as others are while they are called.

    :param app: the WSGI application.
    :param manager: made once, shared by all requests.
    :param environ_key: where the session stands in the environ.

    >>> from sessionkit import SessionManager
    >>> from sessionkit.stores.memory import MemoryStore
    >>> def count(environ, start_response):
    ...     session = environ["sessionkit.session"]
    ...     session["visits"] = session.get("visits", 0) + 1
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     return [str(session["visits"]).encode()]
    >>> application = SessionMiddleware(count, SessionManager(MemoryStore()))
    """

    def __init__(
        self,
        app: WSGIApplication,
        manager: BaseManager,
        *,
        environ_key: str = "sessionkit.session",
    ) -> None:
        if not isinstance(manager, BaseManager):
            raise ConfigurationError(
                f"SessionMiddleware needs a SessionManager, not {type(manager).__name__}"
            )

        self.app = app
        self.manager = manager
        self.environ_key = environ_key

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> cabc.Iterable[bytes]:
        session, outermost = open_once(environ, self.manager)

        if not outermost:
            environ[self.environ_key] = _placed(environ, self.environ_key, session)
            return self.app(environ, start_response)

        environ[self.environ_key] = session
        answer = _Answer(self.environ_key, session, environ, start_response)
        body = answer.after(self.app, environ, answer.start_response)
        return body if answer.has_begun else _LateBody(answer, body)


class _Answer:
    """What the application has said of its answer, held back until the session is committed."""

    __slots__ = (
        "_environ",
        "_forwarded",
        "_key",
        "_opened",
        "_said",
        "_start_response",
        "replaced",
    )

    def __init__(
        self,
        key: str,
        opened: Session,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> None:
        self._key = key
        self._opened = opened
        self._environ = environ
        self._start_response = start_response
        self._said: tuple[str, Headers, OptExcInfo | None] | None = None
        self._forwarded: Write | None = None
        #: Whether a 503 was sent in place of the application's answer.
        self.replaced = False

    @property
    def has_begun(self) -> bool:
        return self._said is not None or self.replaced

    @property
    def _session(self) -> Session:
        opened = self._opened
        # As in all but a few requests.
        is_in_place = self._environ.get(self._key) is opened
        return opened if is_in_place else _placed(self._environ, self._key, opened)

    def start_response(
        self, status: str, headers: Headers, exc_info: OptExcInfo | None = None, /
    ) -> Write:
        if self._said is not None and exc_info is None:
            raise AssertionError("start_response was called again without exc_info (PEP 3333)")

        self._said = (status, headers, exc_info)

        if self._forwarded is not None:
            self._forward()

        return self._write

    def _write(self, data: bytes, /) -> object:
        return (self._forwarded or self._forward())(data)

    def after(
        self,
        step: cabc.Callable[[Unpack[Arguments]], cabc.Iterable[bytes]],
        *args: Unpack[Arguments],
    ) -> cabc.Iterable[bytes]:
        """Let the application make a *step*; commit after it, if the answer has begun.

        :return: what the step returned, or the 503 in its place.
        """
        token = current.set(self._opened)

        try:
            body = step(*args)
        except UNAVAILABLE as error:
            return self._fail(error)
        except BaseException:
            self.abandon()
            raise
        finally:
            current.reset(token)

        return body if self._said is None or self._forwarded is not None else self._begin(body)

    def _begin(self, body: cabc.Iterable[bytes]) -> cabc.Iterable[bytes]:
        try:
            self._forward()
        except UNAVAILABLE as error:
            _close(body)
            return self._fail(error)
        except BaseException:
            _close(body)
            raise

        return body

    def _fail(self, error: SessionError) -> cabc.Iterable[bytes]:
        """Answer 503 in place of the application, if nothing was sent yet."""
        if self._forwarded is not None:
            raise error

        self.replaced = True
        session = self._session
        self._opened.drop_custom_cookies()
        session.drop_custom_cookies()
        error.instruction = error.instruction or self._end_only() or session.instruction
        answer = unavailable(error, self._environ["REQUEST_METHOD"])
        headers = self._with_session(session, answer.headers, error.instruction)
        self._start_response(f"{answer.status} {answer.reason}", headers)
        return [answer.body]

    def abandon(self) -> None:
        """Carry out a wish to end the session although the application has raised."""
        self._end_only()

    def _end_only(self) -> Instruction:
        session = self._session

        try:
            return session.manager.commit(session, ok=False)
        except UNAVAILABLE as error:
            return error.instruction

    def _forward(self) -> Write:
        if self._said is None:
            raise AssertionError("write() was called before start_response (PEP 3333)")

        status, headers, exc_info = self._said
        session = self._session
        instruction = session.manager.commit(session, ok=not status.startswith("5"))
        headers = self._with_session(session, headers, instruction)

        if exc_info is None:
            self._forwarded = self._start_response(status, headers)
        else:
            # Kept no longer than needed: it refers to the frames of the application.
            self._said = (status, headers, None)
            self._forwarded = self._start_response(status, headers, exc_info)

        return self._forwarded

    def _with_session(
        self, session: Session, headers: Headers, instruction: Instruction
    ) -> Headers:
        if session is not self._opened:
            session.stand_in_for(self._opened)

        if not session.accessed and instruction is None and not session.used_cookies:
            return headers

        environ = self._environ
        https = environ.get("wsgi.url_scheme") == "https"

        if instruction is not None and session.token is None:
            check_proxy(session, https=https, forwarded_proto=environ.get("HTTP_X_FORWARDED_PROTO"))

        kept, replaced = _split(headers)
        return kept + session_headers(
            session,
            instruction,
            https=https,
            vary=replaced.get("vary") or None,
            cache_control=replaced.get("cache-control") or None,
        )


class _LateBody:
    """The body of an application that begins its answer while it is iterated, as generators do."""

    __slots__ = ("_answer", "_body", "_items")

    def __init__(self, answer: _Answer, body: cabc.Iterable[bytes]) -> None:
        self._answer = answer
        self._body = body
        self._items: cabc.Iterator[bytes] | None = None

    def __iter__(self) -> _LateBody:
        return self

    def __next__(self) -> bytes:
        if self._items is not None and self._answer.has_begun:
            return next(self._items)

        first = iter(self._answer.after(self._step))

        if self._answer.replaced:
            self._items = first

        return next(first)

    def _step(self) -> list[bytes]:
        if self._items is None:
            self._items = iter(self._body)

        return list(itertools.islice(self._items, 1))

    def close(self) -> None:
        """Close the application's body; end the session if that was asked for in vain."""
        if not self._answer.has_begun:
            self._answer.abandon()

        _close(self._body)


def _placed(environ: WSGIEnvironment, key: str, opened: Session) -> Session:
    """Return what the application has put in the place of *opened*, made by ``manager.start()``.

    Under the same key there may stand the session of another manager, of a middleware further in.
    """
    placed = environ.get(key)
    same_manager = isinstance(placed, Session) and placed.manager is opened.manager
    return t.cast(Session, placed) if same_manager else opened


def _split(headers: Headers) -> tuple[Headers, dict[str, str]]:
    """Return the headers that stay, and by name those that are replaced, joined."""
    kept: Headers = []
    replaced: dict[str, str] = {}

    for header in headers:
        name, value = header[0].lower(), header[1]

        if name in ("vary", "cache-control"):
            replaced[name] = f"{replaced[name]}, {value}" if name in replaced else value
        else:
            kept.append(header)

    return kept, replaced


def _close(body: cabc.Iterable[bytes]) -> None:
    close = getattr(body, "close", None)

    if close is not None:
        close()
