"""The middleware: headers, which session it serves, and where it stands."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit.errors import SessionError
from tests.core.conftest import MakeManager
from tests.core.support import NOW
from tests.core.support import View
from tests.wsgi.support import Client
from tests.wsgi.support import Server
from tests.wsgi.support import call
from tests.wsgi.support import new_environ
from tests.wsgi.support import serving
from tests.wsgi.support import write


class TestHeaders:
    def test_an_untouched_session_adds_none(self, manager: SessionManager, visitor: Client) -> None:
        visitor.app = SessionMiddleware(serving(lambda session: None), manager)
        assert visitor.get().headers == [("Content-Type", "text/plain")]

    @pytest.mark.parametrize(
        "view",
        [
            lambda session: session.get("a"),
            lambda session: "x" in session,
            len,
            bool,
            list,
            repr,
            lambda session: session == {},
            lambda session: session.copy(),
            lambda session: session.pop("x", None),
            lambda session: session.owner,
        ],
    )
    def test_any_access_makes_it_vary_and_private_and_no_read_sets_a_cookie(
        self, manager: SessionManager, visitor: Client, view: View
    ) -> None:
        visitor.app = SessionMiddleware(serving(view), manager)
        reply = visitor.get()
        assert (reply.get("Vary"), reply.get("Cache-Control")) == ("Cookie", "private")
        assert reply.cookie is None

    @pytest.mark.parametrize(
        ("given", "vary"),
        [
            ([("Vary", "Accept-Encoding")], "Accept-Encoding, Cookie"),
            ([("vary", "cookie")], "cookie"),
            ([("VARY", "*")], "*"),
            ([("Vary", "Accept"), ("Vary", "Origin")], "Accept, Origin, Cookie"),
        ],
    )
    def test_vary_is_merged_into_one(
        self, manager: SessionManager, given: list[tuple[str, str]], vary: str
    ) -> None:
        assert call(SessionMiddleware(serving(write, *given), manager)).get("Vary") == vary

    def test_what_the_application_says_about_caching_stays_without_our_cookie(
        self, manager: SessionManager, visitor: Client
    ) -> None:
        public = ("Cache-Control", "public, max-age=60")
        visitor.app = SessionMiddleware(serving(len, public), manager)
        assert visitor.get().get("Cache-Control") == "public, max-age=60"
        assert call(SessionMiddleware(serving(write, public), manager)).get("Cache-Control") == (
            "max-age=60, private"
        )

    def test_the_applications_other_cookies_stay(self, manager: SessionManager) -> None:
        other = ("Set-Cookie", "theme=dark")
        reply = call(SessionMiddleware(serving(write, other), manager))
        assert [cookie.split("=")[0] for cookie in reply.all("Set-Cookie")] == ["theme", "sid"]

    def test_the_cookie_is_secure_over_https(self, manager: SessionManager) -> None:
        app = SessionMiddleware(serving(write), manager)
        assert "; Secure" in str(call(app, https=True).get("Set-Cookie"))
        assert "; Secure" not in str(call(app, https=False).get("Set-Cookie"))

    def test_an_ended_session_deletes_the_cookie_with_its_attributes(
        self, make_manager: MakeManager
    ) -> None:
        options = CookieOptions(path="/app", domain="example.com", samesite="Strict")
        manager = make_manager(cookie=options)
        client = Client(SessionMiddleware(serving(write), manager))
        set_header = str(client.get(https=True).get("Set-Cookie"))
        client.app = SessionMiddleware(serving(Session.destroy), manager)
        deleted = client.get(https=True).get("Set-Cookie")
        assert (
            deleted
            == "sid=; Path=/app; Max-Age=0; Domain=example.com; Secure; HttpOnly; SameSite=Strict"
        )
        assert set_header.split("; ")[1:] == deleted.replace("Age=0", "Age=7776000").split("; ")[1:]

    @pytest.mark.parametrize("name", ["__Host-sid", "Sid.2"])
    def test_the_cookie_comes_back_under_any_name(
        self, make_manager: MakeManager, name: str
    ) -> None:
        manager = make_manager(cookie=CookieOptions(name=name))
        client = Client(SessionMiddleware(serving(write), manager))
        assert [client.get().body for _ in range(3)] == [b"1", b"2", b"3"]

    @pytest.mark.parametrize("place", ["QUERY_STRING", "HTTP_AUTHORIZATION", "HTTP_X_SESSION_ID"])
    def test_only_the_cookie_carries_the_id(
        self, manager: SessionManager, visitor: Client, place: str
    ) -> None:
        app = SessionMiddleware(serving(len), manager)
        environ = new_environ(PATH_INFO=f"/;{visitor.cookie}") | {place: str(visitor.cookie)}
        assert Server().run(app, environ).body == b"0"


class TestStart:
    @pytest.mark.parametrize("nested", [False, True])
    def test_a_session_of_the_servers_choice_wins(
        self, manager: SessionManager, nested: bool
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            environ["sessionkit.session"]["dropped"] = 1
            environ["sessionkit.session"] = manager.start("chosen-by-the-server-0001")
            inner: t.Any = serving(write)
            return (SessionMiddleware(inner, manager) if nested else inner)(environ, start_response)

        reply = call(SessionMiddleware(app, manager))
        assert reply.cookie == "sid=chosen-by-the-server-0001"
        assert dict(manager.open(reply.cookie)) == {"n": 1}

    def test_it_may_have_a_cookie_of_its_own(self, manager: SessionManager) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            options = CookieOptions(name="device", path="/device")
            environ["sessionkit.session"] = manager.start(cookie=options)
            return serving(write)(environ, start_response)

        cookie = call(SessionMiddleware(app, manager)).get("Set-Cookie")
        assert str(cookie).startswith("device=")
        assert "; Path=/device; " in str(cookie)

    @pytest.mark.parametrize("placed", [None, {}, "text"])
    def test_what_is_no_session_is_ignored(self, manager: SessionManager, placed: object) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            write(environ["sessionkit.session"])
            environ["sessionkit.session"] = placed
            start_response("200 OK", [])
            return []

        assert call(SessionMiddleware(app, manager)).cookie is not None


class TestCurrentSession:
    def test_it_is_the_session_of_the_environ(self, manager: SessionManager) -> None:
        app = serving(lambda session: current_session() is session)
        assert call(SessionMiddleware(app, manager)).body == b"True"

    def test_outside_of_requests_it_says_what_to_use(self) -> None:
        with pytest.raises(SessionError, match=r"manager\.load"):
            current_session()

    def test_a_request_inside_of_a_request_has_its_own(self, manager: SessionManager) -> None:
        inner = SessionMiddleware(serving(lambda session: current_session() is session), manager)

        def view(session: Session) -> bool:
            return call(inner).body == b"True" and current_session() is session

        assert call(SessionMiddleware(serving(view), manager)).body == b"True"


class TestProxy:
    def test_it_warns_once_if_the_cookie_lacks_secure_behind_https(
        self, manager: SessionManager, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = SessionMiddleware(serving(write), manager)

        for _ in range(3):
            call(app, HTTP_X_FORWARDED_PROTO="https")

        assert len(caplog.messages) == 1
        assert "X-Forwarded-Proto" in caplog.text

    @pytest.mark.parametrize("proto", ["http", ""])
    def test_it_does_not_without_reason(
        self, make_manager: MakeManager, proto: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = SessionMiddleware(serving(write), make_manager())
        call(app, HTTP_X_FORWARDED_PROTO=proto)
        call(app, https=True, HTTP_X_FORWARDED_PROTO="https")
        secure = SessionMiddleware(serving(write), make_manager(cookie=CookieOptions(secure=True)))
        call(secure, HTTP_X_FORWARDED_PROTO="https")
        assert caplog.messages == []


def test_time_is_asked_of_the_managers_clock(manager: SessionManager) -> None:
    reply = call(SessionMiddleware(serving(write), manager))
    session = manager.open(reply.cookie)
    assert session.created_at is not None
    assert session.created_at.timestamp() == NOW
