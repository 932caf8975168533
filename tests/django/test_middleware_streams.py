"""Bodies that are sent piece by piece, and coroutines."""

from __future__ import annotations

import asyncio
import io
import typing as t

import pytest
from django.http import FileResponse
from django.http import HttpResponse
from django.http import StreamingHttpResponse
from django.test import AsyncRequestFactory

import django_sessionkit.middleware
from django_sessionkit.engine import SessionStore
from django_sessionkit.middleware import SessionMiddleware
from sessionkit.errors import SessionCommitted
from tests.django.support import cookie_of
from tests.spies import Spy

from .conftest import Site
from .conftest import session_of


def test_a_page_that_first_reads_while_it_is_sent_is_not_for_everybody(site: Site) -> None:
    def stream(request: t.Any) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(request.session.get("a")) for _ in range(1))

    def file(request: t.Any) -> FileResponse:
        return FileResponse(io.BytesIO(b"the same for all"))

    browser = site(stream=stream, file=file)
    assert browser.get("/stream").headers["Vary"] == "Cookie"
    assert "Vary" not in browser.get("/file").headers


def test_a_streamed_body_may_read_but_not_write(site: Site, spy: Spy) -> None:
    seen: list[object] = []

    def stream(request: t.Any) -> StreamingHttpResponse:
        def body() -> t.Iterator[str]:
            seen.append(request.session["a"])

            with pytest.raises(SessionCommitted):
                request.session["late"] = 1

            yield "done"

        request.session["a"] = 1
        return StreamingHttpResponse(body())

    browser = site(stream=stream)
    assert b"".join(browser.get("/stream")) == b"done"
    assert seen == [1]
    assert session_of(browser).load() == {"a": 1}


def asynchronously(request: t.Any, view: t.Any) -> t.Any:
    return asyncio.run(SessionMiddleware(view)(request))


def test_asynchronous_views(spy: Spy) -> None:
    async def write(request: t.Any) -> HttpResponse:
        await request.session.aset("cart", ["tea"])
        return HttpResponse()

    async def add(request: t.Any) -> HttpResponse:
        (await request.session.aget("cart")).append("milk")
        return HttpResponse()

    factory = AsyncRequestFactory()
    response = asynchronously(factory.get("/"), write)
    key = response.cookies["sessionid"].value
    factory.cookies["sessionid"] = key
    response = asynchronously(factory.get("/"), add)
    assert cookie_of(response) is None
    assert SessionStore(key)["cart"] == ["tea", "milk"]


def test_an_asynchronous_view_that_does_not_use_its_session_changes_no_thread(
    spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def idle(request: t.Any) -> HttpResponse:
        return HttpResponse("idle")

    monkeypatch.delattr(django_sessionkit.middleware, "sync_to_async")
    assert asynchronously(AsyncRequestFactory().get("/"), idle).content == b"idle"
    assert spy.last_calls() == []


def test_an_asynchronous_view_sets_a_cookie_of_its_own(spy: Spy) -> None:
    async def choose(request: t.Any) -> HttpResponse:
        request.session.set_cookie("theme", "dark")
        return HttpResponse()

    response = asynchronously(AsyncRequestFactory().get("/"), choose)
    assert response.cookies["theme"].OutputString().startswith("theme=dark; ")
    assert spy.last_calls() == []
