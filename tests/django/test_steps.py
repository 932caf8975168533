"""How many Python functions a request calls: exact, where microseconds are not."""

from __future__ import annotations

import sys
import typing as t

import pytest
from django.contrib.sessions import middleware as django_middleware
from django.http import HttpResponse
from django.test import RequestFactory
from django.test import override_settings

from django_sessionkit.middleware import SessionMiddleware


def untouched(middleware: t.Any) -> int:
    """Return how many are called for a request that does not use the session it has a cookie of."""
    factory = RequestFactory()
    factory.cookies["sessionid"] = "x" * 40
    response = HttpResponse()
    handle = middleware(lambda request: response)
    handle(factory.get("/"))
    request = factory.get("/")
    calls: list[str] = []

    def note(frame: t.Any, event: str, _: object) -> None:
        if event == "call":
            calls.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)

    try:
        handle(request)
    finally:
        sys.setprofile(before)

    return len(calls)


@pytest.mark.usefixtures("spy")
def test_an_untouched_session_takes_fewer_than_under_djangos_middleware() -> None:
    ours = untouched(SessionMiddleware)

    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cache"):
        theirs = untouched(django_middleware.SessionMiddleware)

    assert ours < theirs
