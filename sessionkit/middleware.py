"""SessionMiddleware: sessions for any WSGI application (PEP 3333)."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .answer import UNAVAILABLE
from .answer import check_proxy
from .answer import session_headers
from .answer import unavailable
from .cookie import Instruction
from .current import current
from .errors import ConfigurationError
from .errors import SessionError
from .manager import SessionManager
from .nesting import open_once
from .session import Session

if t.TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

Headers = list[tuple[str, str]]
Write = cabc.Callable[[bytes], object]


class SessionMiddleware:
    """Gives every request of *app* a session in its environ.

    The session is committed when the application has returned its body, or at its first
    ``write()``; if it calls ``start_response`` later, as a generator does, then there. The body is
    handed on untouched.

    :param app: the WSGI application.
    :param manager: made once, shared by all requests.
    :param environ_key: where the session stands in the environ.

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
        manager: SessionManager,
        *,
        environ_key: str = "sessionkit.session",
    ) -> None:
        if not isinstance(manager, SessionManager):
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
        token = current.set(session)

        try:
            body = self.app(environ, answer.start_response)
        except UNAVAILABLE as error:
            return answer.fail(error)
        except BaseException:
            answer.abandon()
            raise
        finally:
            current.reset(token)

        return answer.returned(body)


class _Answer:
    """What the application has said of its answer, held back until the session is committed."""

    __slots__ = ("_environ", "_forwarded", "_key", "_opened", "_returned", "_said", "_start_response")

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
        self._returned = False

    @property
    def _session(self) -> Session:
        return _placed(self._environ, self._key, self._opened)

    def start_response(
        self, status: str, headers: Headers, exc_info: OptExcInfo | None = None, /
    ) -> Write:
        if self._said is not None and exc_info is None:
            raise AssertionError("start_response was called again without exc_info (PEP 3333)")

        self._said = (status, headers, exc_info)

        if self._returned or self._forwarded is not None:
            self._forward()

        return self._write

    def _write(self, data: bytes, /) -> object:
        return (self._forwarded or self._forward())(data)

    def returned(self, body: cabc.Iterable[bytes]) -> cabc.Iterable[bytes]:
        """Commit now that the application has returned its body, unless it has not begun yet."""
        self._returned = True

        if self._said is None or self._forwarded is not None:
            return body

        try:
            self._forward()
        except UNAVAILABLE as error:
            _close(body)
            return self.fail(error)
        except BaseException:
            _close(body)
            raise

        return body

    def fail(self, error: SessionError) -> cabc.Iterable[bytes]:
        """Answer 503 in place of the application, if nothing was sent yet."""
        if self._forwarded is not None:
            raise error

        session = self._session
        error.instruction = error.instruction or self._end_only() or session.instruction
        answer = unavailable(error, self._environ["REQUEST_METHOD"])
        headers = self._with_session(answer.headers, error.instruction)
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
        headers = self._with_session(headers, instruction)

        if exc_info is None:
            self._forwarded = self._start_response(status, headers)
        else:
            # Kept no longer than needed: it refers to the frames of the application.
            self._said = (status, headers, None)
            self._forwarded = self._start_response(status, headers, exc_info)

        return self._forwarded

    def _with_session(self, headers: Headers, instruction: Instruction) -> Headers:
        session = self._session

        if not session.accessed and instruction is None:
            return headers

        environ = self._environ
        https = environ.get("wsgi.url_scheme") == "https"

        if instruction is not None:
            check_proxy(session, https=https, forwarded_proto=environ.get("HTTP_X_FORWARDED_PROTO"))

        replaced = ("vary", "cache-control")
        kept = [header for header in headers if header[0].lower() not in replaced]
        return kept + session_headers(
            session,
            instruction,
            https=https,
            vary=_joined(headers, "vary"),
            cache_control=_joined(headers, "cache-control"),
        )


def _placed(environ: WSGIEnvironment, key: str, opened: Session) -> Session:
    """Return what the application has put in the place of *opened*, made by ``manager.start()``.

    Under the same key there may stand the session of another manager, of a middleware further in.
    """
    placed = environ.get(key)
    same_manager = isinstance(placed, Session) and placed.manager is opened.manager
    return t.cast(Session, placed) if same_manager else opened


def _joined(headers: Headers, name: str) -> str | None:
    return ", ".join(value for key, value in headers if key.lower() == name) or None


def _close(body: cabc.Iterable[bytes]) -> None:
    close = getattr(body, "close", None)

    if close is not None:
        close()
