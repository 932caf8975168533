"""Requests under our middleware: the cookie, late writes, outages, caches, streams, nesting."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import logging
import threading
import typing as t

import pytest
from django.contrib.sessions import middleware as django_middleware
from django.core.exceptions import ImproperlyConfigured
from django.http import FileResponse
from django.http import HttpResponse
from django.http import StreamingHttpResponse
from django.test import AsyncRequestFactory
from django.test import Client
from django.test import RequestFactory
from django.test import override_settings

import django_sessionkit.middleware
from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from django_sessionkit.middleware import SessionMiddleware
from sessionkit import current_session
from sessionkit import signals
from sessionkit.errors import SessionCommitted
from sessionkit.tokens import verify

from .conftest import Site
from .conftest import Spy
from .conftest import session_of


def put(request: t.Any) -> str:
    request.session[request.GET.get("key", "a")] = request.GET.get("value", "1")
    return "put"


def show(request: t.Any) -> object:
    return sorted(request.session.items())


def cookie_of(response: t.Any) -> str | None:
    morsel = response.cookies.get("sessionid")
    return None if morsel is None else morsel.OutputString()


def text(response: t.Any) -> str:
    assert response.status_code == 200
    return t.cast(str, response.content.decode())


def test_it_is_one_of_djangos() -> None:
    assert issubclass(SessionMiddleware, django_middleware.SessionMiddleware)


def test_another_engine_is_refused() -> None:
    with (
        override_settings(SESSION_ENGINE="django.contrib.sessions.backends.file"),
        pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"),
    ):
        SessionMiddleware(lambda request: HttpResponse())


@pytest.mark.usefixtures("store")
def test_a_visitor_has_a_session(site: Site) -> None:
    browser = site(put=put, show=show)
    browser.get("/put")
    browser.get("/put?key=b&value=2")
    assert text(browser.get("/show")) == "[('a', '1'), ('b', '2')]"
    assert session_of(browser)["a"] == "1"


def test_an_untouched_session_costs_nothing(site: Site, spy: Spy) -> None:
    browser = site(put=put, idle=lambda request: "idle")
    browser.get("/put")
    spy.last_calls()
    response = browser.get("/idle")
    assert spy.last_calls() == []
    assert cookie_of(response) is None
    assert "Vary" not in response
    assert "Cache-Control" not in response


def test_the_cookie_is_set_by_the_answer_that_creates_the_session_alone(
    site: Site, spy: Spy
) -> None:
    browser = site(put=put, show=show)
    cookie = cookie_of(browser.get("/put"))
    assert cookie is not None
    assert cookie.endswith("; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax")
    assert cookie_of(browser.get("/put?value=2")) is None
    assert cookie_of(browser.get("/show")) is None


def test_the_cookie_is_deleted_by_the_answer_that_ends_the_session_alone(
    site: Site, spy: Spy
) -> None:
    browser = site(put=put, show=show, leave=lambda request: request.session.flush())
    browser.get("/put")
    old = browser.cookies["sessionid"].value
    response = browser.get("/leave")
    assert cookie_of(response) == "sessionid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    assert response.cookies["sessionid"]["max-age"] == 0

    for value in (old, "x" * 40, "rubbish"):
        browser.cookies["sessionid"] = value
        assert cookie_of(browser.get("/show")) is None


def test_clear_ends_the_session_too(site: Site, spy: Spy) -> None:
    browser = site(put=put, clear=lambda request: request.session.clear())
    browser.get("/put")
    assert "Max-Age=0" in (cookie_of(browser.get("/clear")) or "")


def test_deleting_key_by_key_keeps_it(site: Site, spy: Spy) -> None:
    browser = site(put=put, drop=lambda request: request.session.pop("a"), show=show)
    browser.get("/put")
    assert cookie_of(browser.get("/drop")) is None
    assert session_of(browser).session_key == browser.cookies["sessionid"].value


def test_secrets_sign_the_cookie_and_bare_ids_are_read_too(site: Site) -> None:
    with override_settings(SESSIONKIT={"STORE": "memory:", "SECRETS": ["new", "old"]}):
        browser = site(put=put, show=show)
        browser.get("/put")
        value = browser.cookies["sessionid"].value
        bare = verify(value, ["new"], "sessionid")
        assert bare is not None
        assert session_of(browser).session_key == bare
        assert text(browser.get("/show")) == "[('a', '1')]"
        browser.cookies["sessionid"] = bare
        assert text(browser.get("/show")) == "[('a', '1')]"


def test_of_several_cookies_the_first_that_is_live_wins(site: Site, spy: Spy) -> None:
    browser = site(put=put, show=show)
    browser.get("/put")
    live = browser.cookies["sessionid"].value
    header = f"sessionid={'x' * 40}; sessionid={live}"
    assert text(site.browser(headers={"cookie": header}).get("/show")) == "[('a', '1')]"


def test_a_cookie_that_another_middleware_has_put_there_is_used(spy: Spy) -> None:
    session = SessionStore()
    session["a"] = 1
    session.save()
    request = RequestFactory().get("/")
    request.COOKIES["sessionid"] = t.cast(str, session.session_key)
    SessionMiddleware(lambda request: HttpResponse())(request)
    assert request.session["a"] == 1


def test_secure_where_the_request_is_https(site: Site, spy: Spy) -> None:
    browser = site(put=put)
    assert "; Secure" in (cookie_of(browser.get("/put", secure=True)) or "")


def test_a_proxy_that_nobody_handles_is_warned_of(
    site: Site, spy: Spy, caplog: pytest.LogCaptureFixture
) -> None:
    browser = site(put=put)

    with caplog.at_level(logging.WARNING, "sessionkit"):
        browser.get("/put", headers={"x-forwarded-proto": "https"})

    assert "X-Forwarded-Proto" in caplog.text


def test_what_used_the_session_is_private(site: Site, spy: Spy) -> None:
    def public(request: t.Any) -> HttpResponse:
        request.session["a"] = 1
        return HttpResponse(headers={"Cache-Control": "public, max-age=60", "Vary": "Accept"})

    browser = site(show=show, public=public)
    response = browser.get("/show")
    assert (response["Vary"], response["Cache-Control"]) == ("Cookie", "private")
    response = browser.get("/public")
    assert response["Vary"] == "Accept, Cookie"
    assert response["Cache-Control"] == "max-age=60, private"


def test_requests_at_once_lose_no_key(site: Site, spy: Spy) -> None:
    def meanwhile(request: t.Any) -> str:
        request.session["mine"] = "1"
        browser.get("/put?key=theirs")
        request.session["cart"] = ["tea"]
        return "done"

    browser = site(put=put, meanwhile=meanwhile, show=show)
    browser.get("/put")
    browser.get("/meanwhile")
    assert dict(session_of(browser).items()) == {
        "a": "1",
        "mine": "1",
        "theirs": "1",
        "cart": ["tea"],
    }


@pytest.mark.usefixtures("store")
def test_twenty_requests_in_parallel_lose_no_key(site: Site) -> None:
    browser = site(put=put)
    browser.get("/put")
    barrier = threading.Barrier(20)

    def write(number: int) -> int:
        other = site.browser()
        other.cookies.update(browser.cookies)
        barrier.wait()
        return other.get(f"/put?key=key{number}").status_code

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert set(pool.map(write, range(20))) == {200}

    assert set(session_of(browser).keys()) == {"a", *(f"key{number}" for number in range(20))}


def test_a_nested_change_is_saved(site: Site, spy: Spy) -> None:
    def start(request: t.Any) -> None:
        request.session["cart"] = {"items": []}

    def add(request: t.Any) -> None:
        request.session["cart"]["items"].append("tea")

    browser = site(start=start, add=add)
    browser.get("/start")
    browser.get("/add")
    assert session_of(browser)["cart"] == {"items": ["tea"]}


@pytest.mark.parametrize("end", ["flush", "cycle_key"])
@pytest.mark.parametrize("explicitly", [True, False])
def test_a_late_write_is_dropped_without_an_error(
    site: Site, spy: Spy, end: str, explicitly: bool
) -> None:
    dropped: list[t.Any] = []

    def late(request: t.Any) -> str:
        request.session["late"] = "1"
        other = Client()
        other.cookies.update(browser.cookies)
        other.get("/end")

        if explicitly:
            request.session.save()

        return "fine"

    def receiver(sender: object, **values: t.Any) -> None:
        dropped.append(values["keys"])

    browser = site(put=put, late=late, end=lambda request: getattr(request.session, end)())
    browser.get("/put")

    with signals.dropped.connected_to(receiver):
        response = browser.get("/late")

    assert text(response) == "fine"
    assert cookie_of(response) is None
    assert {"late"} in dropped


def test_an_error_saves_nothing_but_announces_what_was_saved(site: Site, spy: Spy) -> None:
    def fail(request: t.Any) -> HttpResponse:
        request.session["b"] = 1
        return HttpResponse(status=500)

    def renew_and_fail(request: t.Any) -> HttpResponse:
        request.session.cycle_key()
        return HttpResponse(status=500)

    browser = site(put=put, fail=fail, renew_and_fail=renew_and_fail)
    browser.get("/put")
    browser.get("/fail")
    assert session_of(browser).load() == {"a": "1"}
    assert cookie_of(browser.get("/renew_and_fail")) is not None
    assert session_of(browser).load() == {"a": "1"}


def test_an_end_is_an_end_whatever_comes_after(site: Site, spy: Spy) -> None:
    def leave(request: t.Any) -> None:
        request.session.flush()
        raise RuntimeError

    browser = site(put=put, leave=leave)
    browser.raise_request_exception = False
    browser.get("/put")
    key = session_of(browser).session_key
    response = browser.get("/leave")
    assert response.status_code == 500
    assert "Max-Age=0" in (cookie_of(response) or "")
    assert not SessionStore().exists(key)


def test_marked_as_unmodified_it_is_not_saved(site: Site, spy: Spy) -> None:
    def look(request: t.Any) -> None:
        request.session["b"] = 1
        request.session.modified = False

    browser = site(put=put, look=look)
    browser.get("/put")
    browser.get("/look")
    assert "b" not in session_of(browser)


def test_marked_as_modified_it_is_saved_in_any_case(site: Site, spy: Spy) -> None:
    def mark(request: t.Any) -> None:
        request.session.modified = True

    browser = site(put=put, mark=mark)
    browser.get("/put")
    spy.last_calls()
    browser.get("/mark")
    assert spy.last_calls() == ["get", "swap"]
    site.browser().get("/mark")
    assert spy.last_calls() == []


def test_saved_every_request_if_the_setting_says_so(site: Site, spy: Spy) -> None:
    browser = site(put=put, idle=lambda request: "idle")
    browser.get("/put")
    spy.last_calls()

    with override_settings(SESSION_SAVE_EVERY_REQUEST=True):
        assert cookie_of(browser.get("/idle")) is None

    assert spy.last_calls() == ["get", "swap"]


def test_an_outage_is_a_503_where_the_session_is_needed(site: Site, spy: Spy) -> None:
    browser = site(put=put, show=show, idle=lambda request: "idle")
    browser.get("/put")
    spy.down = True
    response = browser.get("/show")
    assert response.status_code == 503
    assert response["Retry-After"]
    assert response["Cache-Control"] == "no-store"
    assert cookie_of(response) is None
    assert "Retry-After" not in browser.post("/show")
    assert text(browser.get("/idle")) == "idle"
    spy.down = False
    assert text(browser.get("/show")) == "[('a', '1')]"


def test_an_outage_at_the_commit_is_a_503_too(site: Site, spy: Spy) -> None:
    def fall(request: t.Any) -> str:
        request.session["b"] = 1
        spy.down = True
        return "saved"

    browser = site(fall=fall)
    assert browser.get("/fall").status_code == 503


def test_an_outage_met_by_another_middleware_is_a_503(site: Site, spy: Spy) -> None:
    browser = site(put=put)
    browser.get("/put")
    spy.down = True
    browser.raise_request_exception = False

    with override_settings(MIDDLEWARE=[f"{SessionMiddleware.__module__}.SessionMiddleware", Reads]):
        assert browser.get("/put").status_code == 503


Reads = f"{__name__}.reads"


def test_logging_out_during_an_outage_deletes_the_cookie_and_says_so(site: Site, spy: Spy) -> None:
    browser = site(put=put, leave=lambda request: request.session.flush())
    browser.get("/put")
    spy.down = True
    response = browser.get("/leave")
    assert response.status_code == 503
    assert b"could not be told" in response.content
    assert "Max-Age=0" in (cookie_of(response) or "")


def test_an_outage_may_be_an_empty_session(site: Site, spy: Spy) -> None:
    policy = {"STORE": spy, "POLICY": {"outage": "unavailable"}}

    with override_settings(SESSIONKIT=policy):
        browser = site(put=put, show=show, state=lambda request: request.session.state)
        browser.get("/put")
        spy.down = True
        assert text(browser.get("/show")) == "[]"
        assert text(browser.get("/put?value=2")) == "put"
        assert text(browser.get("/state")) == "unavailable"
        spy.down = False
        assert text(browser.get("/show")) == "[('a', '1')]"


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


def test_the_current_session_is_that_of_the_request(site: Site, spy: Spy) -> None:
    def view(request: t.Any) -> bool:
        return current_session() is request.session.core

    assert text(site(view=view).get("/view")) == "True"


def test_a_view_may_put_another_session_in_its_place(site: Site, spy: Spy) -> None:
    def swap(request: t.Any) -> None:
        request.session = SessionStore()
        request.session["b"] = 2

    browser = site(put=put, swap=swap)
    browser.get("/put")
    assert cookie_of(browser.get("/swap")) is not None
    assert session_of(browser).load() == {"b": 2}


def test_the_recipe_for_a_request_with_a_session_works(spy: Spy) -> None:
    request = RequestFactory().get("/")
    SessionMiddleware(lambda request: HttpResponse()).process_request(request)
    request.session["a"] = 1
    request.session.save()
    assert SessionStore(request.session.session_key)["a"] == 1


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


def test_a_cookie_of_the_applications_own_outlasts_a_loaded_key(spy: Spy) -> None:
    def choose(request: t.Any) -> HttpResponse:
        request.session.set_cookie("theme", "dark")
        request.session.load()
        return HttpResponse()

    response = SessionMiddleware(choose)(RequestFactory().get("/"))
    assert response.cookies["theme"].value == "dark"


def reads(get_response: t.Any) -> t.Any:
    def middleware(request: t.Any) -> t.Any:
        request.session.get("a")
        return get_response(request)

    return middleware


def test_one_manager_in_one_process(spy: Spy) -> None:
    assert get_manager() is get_manager()
    assert t.cast(t.Any, get_manager()).store is spy
