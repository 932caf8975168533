"""SessionMiddleware: Django's, with this project's rules for cookies, late writes and outages."""

from __future__ import annotations

import typing as t

from asgiref.sync import sync_to_async
from django.contrib.sessions import middleware as django_middleware
from django.core.exceptions import ImproperlyConfigured
from django.http import FileResponse
from django.http import HttpResponse
from django.http import HttpResponseBase
from django.http import parse_cookie
from django.utils.cache import patch_vary_headers

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit.answer import UNAVAILABLE
from sessionkit.answer import check_proxy
from sessionkit.answer import unavailable
from sessionkit.answer import varies_with
from sessionkit.base_manager import BaseManager
from sessionkit.cookie import Instruction
from sessionkit.current import current
from sessionkit.errors import SessionError
from sessionkit.nesting import apply_request
from sessionkit.nesting import open_once

from .cookies import SessionCookie
from .engine import SessionStore
from .headers import add_plain_headers
from .registry import get_manager
from .transactions import has_endings

if t.TYPE_CHECKING:
    from django.http import HttpRequest


class SessionMiddleware(django_middleware.SessionMiddleware):
    """Takes the place of ``django.contrib.sessions.middleware.SessionMiddleware``.

    * The cookie is set only by the answer that created or renewed the session, and deleted only by
      the one that ended it. It is signed if there are secrets.
    * What a request writes after its session was ended is dropped, without an error page.
    * If the store does not answer, whoever needs the session gets a 503, and keeps the cookie.
    * Under ASGI a request that does not use its session costs no change of threads.
    """

    def __init__(self, get_response: t.Any) -> None:
        super().__init__(get_response)
        engine = self.SessionStore

        if not issubclass(engine, SessionStore):
            raise ImproperlyConfigured(
                "django_sessionkit.middleware.SessionMiddleware needs SESSION_ENGINE = "
                "'django_sessionkit.engine'"
            )

        self._engine = engine

    def __call__(self, request: t.Any) -> t.Any:
        if self.async_mode:
            return self.__acall__(request)

        self.process_request(request)
        token = current.set(request.session.core)

        try:
            response = self.get_response(request)
        finally:
            current.reset(token)

        return self.process_response(request, response)

    async def __acall__(self, request: t.Any) -> t.Any:
        self.process_request(request)
        token = current.set(request.session.core)

        try:
            response: t.Any = await t.cast(t.Any, self.get_response(request))
        finally:
            current.reset(token)

        session = getattr(request, "session", None)

        if isinstance(session, SessionStore) and session.is_untouched:
            return _untouched(session, response)

        return await sync_to_async(self.process_response, thread_sensitive=True)(request, response)

    def process_request(self, request: HttpRequest) -> None:
        manager = get_manager()
        # Django parses them when they are asked for, which takes longer than all of this.
        has_cookies = "COOKIES" in request.__dict__
        opened = _open(request, manager) if has_cookies else open_once(request.META, manager)
        session = self._engine()
        session.adopt(*opened)
        request.session = session

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        session = getattr(request, "session", None)

        if not isinstance(exception, UNAVAILABLE) or not isinstance(session, SessionStore):
            return None

        session.failure = exception
        return _answer(request, exception)

    def process_response(self, request: HttpRequest, response: t.Any) -> t.Any:
        session = getattr(request, "session", None)

        if not isinstance(session, SessionStore):
            return response

        core = session.core

        if core.loaded_draft is None and session.is_untouched:
            return _untouched(session, response)

        ok = response.status_code < 500
        failure = session.repeat_endings() if has_endings(core) else None
        instruction: Instruction = None

        if not ok:
            failure = failure or session.failure or _cause(session)

        try:
            session.prepare()

            if session.is_outermost:
                instruction = session.commit(ok=ok)
        except UNAVAILABLE as error:
            failure = failure or error
            instruction = error.instruction or core.instruction

        if failure is not None:
            failure.instruction = failure.instruction or instruction
            instruction = failure.instruction
            response = _answer(request, failure)
            core.drop_custom_cookies()

        if session.is_outermost:
            _add_headers(request, response, core, instruction)

        return response


def _open(request: HttpRequest, manager: BaseManager) -> tuple[Session, bool]:
    """Return the request's session, and whether it is opened here and not around Django.

    A middleware before us may have put a cookie there, such as from a header of an API's client.
    """
    given = request.COOKIES.get(manager.cookie.name)
    has_header = manager.id_header is not None and manager.id_header.find(request.META) is not None

    if not given or has_header or _is_sent(request, manager.cookie, given):
        return open_once(request.META, manager)

    session = Session(manager, session_id=manager.verify(given))
    apply_request(session, request.META)
    return session, True


def _is_sent(request: HttpRequest, cookie: CookieOptions, value: str) -> bool:
    """Say whether Django reads such a cookie in the header, quotes and all, as WSGI or as ASGI."""
    header = request.META.get("HTTP_COOKIE", "")

    if cookie.find(header) == [value]:
        return True

    readings = header, header.encode("latin-1", "replace").decode(errors="replace")
    return any(parse_cookie(reading).get(cookie.name) == value for reading in readings)


def _cause(session: SessionStore) -> SessionError | None:
    """Return why an answer is an error, if that is the store: an inner middleware has raised it."""
    core = session.core
    raised = core.accessed and core.outage == "error"
    return core.error if raised else None


def _untouched(session: SessionStore, response: HttpResponseBase) -> HttpResponseBase:
    if session.is_outermost:
        session.core.manager.commit(session.core)  # from now on changes are refused

    # What is used while the body is sent comes too late for a header.
    if response.streaming and not isinstance(response, FileResponse):
        patch_vary_headers(response, varies_with(session.core))

    return response


def _answer(request: HttpRequest, error: SessionError) -> HttpResponse:
    answer = unavailable(error, request.method or "GET")
    return HttpResponse(
        answer.body, status=answer.status, reason=answer.reason, headers=dict(answer.headers)
    )


def _add_headers(
    request: HttpRequest, response: HttpResponseBase, session: Session, instruction: Instruction
) -> None:
    add_plain_headers(response, session, instruction)

    if instruction is not None or session.used_cookies:
        _add_cookies(request, response, session, instruction)


def _add_cookies(
    request: HttpRequest, response: HttpResponseBase, session: Session, instruction: Instruction
) -> None:
    https = request.is_secure()

    if instruction is not None and session.token is None:
        forwarded_proto = request.META.get("HTTP_X_FORWARDED_PROTO")
        check_proxy(session, https=https, forwarded_proto=forwarded_proto)
        own = session.cookie
        response.cookies[own.name] = SessionCookie(own, instruction, https=https)

    for options, wanted in session.custom_cookies:
        response.cookies[options.name] = SessionCookie(options, wanted, https=https)
