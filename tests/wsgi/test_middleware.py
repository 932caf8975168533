"""What the middleware adds to an answer, and when it does not."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit.errors import ConfigurationError
from sessionkit.errors import SessionError
from tests.core.conftest import MakeManager
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.wsgi.support import App
from tests.wsgi.support import Client
from tests.wsgi.support import Server
from tests.wsgi.support import call
from tests.wsgi.support import new_environ

View = cabc.Callable[[Session], object]


def serving(view: View, *headers: tuple[str, str], status: str = "200 OK") -> App:
    """An application that hands its session to *view*."""

    def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
        result = view(environ["sessionkit.session"])
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return [str(result).encode()]

    return app


def write(session: Session) -> object:
    session["n"] = session.get("n", 0) + 1
    return session["n"]


def raising(error: BaseException, view: View = lambda session: None) -> View:
    def raise_(session: Session) -> None:
        view(session)
        raise error

    return raise_


@pytest.fixture
def visitor(manager: SessionManager, browser: Browser) -> Client:
    """Somebody who has a session already."""
    browser.put(a=1)
    return Client(None, browser.header)


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


class TestExceptions:
    def test_they_pass_unchanged_and_nothing_is_written(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        error = ValueError("the application's")
        stored = store.records()
        visitor.app = SessionMiddleware(serving(raising(error, write)), manager)

        with pytest.raises(ValueError, match="the application's") as raised:
            visitor.get()

        assert raised.value is error
        assert store.records() == stored

    @pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), SystemExit()])
    @pytest.mark.parametrize("late", [True, False])
    def test_a_logout_is_carried_out(
        self,
        manager: SessionManager,
        visitor: Client,
        store: FullStore,
        error: BaseException,
        late: bool,
    ) -> None:
        app = serving(raising(error, Session.destroy))
        visitor.app = SessionMiddleware(generator_of(app) if late else app, manager)

        with pytest.raises(type(error)):
            visitor.get()

        assert store.records() == {}

    def test_the_current_session_does_not_outlive_them(self, manager: SessionManager) -> None:
        with pytest.raises(ValueError, match="x"):
            call(SessionMiddleware(serving(raising(ValueError("x"))), manager))

        with pytest.raises(SessionError):
            current_session()


class TestErrorAnswers:
    @pytest.mark.parametrize(
        ("status", "kept"),
        [
            ("200 OK", True),
            ("302 Found", True),
            ("404 Not Found", True),
            ("500 Oops", False),
            ("503 Busy", False),
        ],
    )
    def test_a_5xx_writes_nothing(
        self, manager: SessionManager, visitor: Client, status: str, kept: bool
    ) -> None:
        visitor.app = SessionMiddleware(serving(write, status=status), manager)
        visitor.get()
        assert ("n" in manager.open(visitor.cookie)) is kept

    def test_a_5xx_still_logs_out(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        visitor.app = SessionMiddleware(serving(Session.destroy, status="500 Oops"), manager)
        assert visitor.get().cookie == "sid="
        assert store.records() == {}

    def test_a_5xx_announces_what_was_saved_early(self, manager: SessionManager) -> None:
        reply = call(SessionMiddleware(serving(Session.save, status="500 Oops"), manager))
        assert reply.cookie is not None


def generator_of(app: App) -> App:
    """The same application as a generator."""

    def late(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
        yield from app(environ, start_response)

    return late


@pytest.fixture(params=[lambda app: app, generator_of], ids=["returning", "generator"])
def form(request: pytest.FixtureRequest) -> t.Any:
    return request.param


class TestOutage:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "DELETE"])
    def test_a_view_that_needs_the_session_answers_503(
        self, manager: SessionManager, visitor: Client, store: FullStore, form: t.Any, method: str
    ) -> None:
        store.fail()
        visitor.app = SessionMiddleware(form(serving(len)), manager)
        reply = visitor.get(REQUEST_METHOD=method)
        assert reply.starts == [("503 Service Unavailable", False)]
        assert reply.cookie is None
        assert (reply.get("Cache-Control"), reply.get("Vary")) == ("no-store", "Cookie")
        assert (reply.get("Retry-After") is not None) == (method in ("GET", "HEAD", "OPTIONS"))
        assert bool(reply.body) == (method != "HEAD")

    def test_a_commit_that_fails_answers_503_in_place_of_the_application(
        self, manager: SessionManager, visitor: Client, store: FullStore, form: t.Any
    ) -> None:
        store.fail("swap")
        visitor.app = SessionMiddleware(form(serving(write, ("X-App", "yes"))), manager)
        reply = visitor.get(REQUEST_METHOD="POST")
        assert reply.starts == [("503 Service Unavailable", False)]
        assert (reply.cookie, reply.get("X-App")) == (None, None)
        store.recover()
        assert visitor.get().status == "200 OK"

    def test_at_the_first_write_too(self, manager: SessionManager, store: FullStore) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            write(environ["sessionkit.session"])
            start_response("200 OK", [])(b"never")
            return []

        store.fail()
        reply = call(SessionMiddleware(app, manager))
        assert reply.starts == [("503 Service Unavailable", False)]
        assert b"never" not in reply.body

    def test_an_untouched_session_does_not_notice(
        self, manager: SessionManager, visitor: Client, store: FullStore, form: t.Any
    ) -> None:
        store.fail()
        visitor.app = SessionMiddleware(form(serving(lambda session: "fine")), manager)
        reply = visitor.get()
        assert (reply.status, reply.body, len(reply.headers)) == ("200 OK", b"fine", 1)

    def test_an_application_may_handle_it(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        def view(session: Session) -> str:
            try:
                return str(session["a"])
            except SessionError:
                return "handled"

        store.fail()
        visitor.app = SessionMiddleware(serving(view), manager)
        assert visitor.get().body == b"handled"

    def test_where_the_policy_tolerates_it_the_answer_goes_out(
        self, make_manager: MakeManager, visitor: Client, store: FullStore
    ) -> None:
        store.fail()
        visitor.app = SessionMiddleware(serving(len), make_manager(outage="unavailable"))
        reply = visitor.get()
        assert (reply.status, reply.body, reply.cookie) == ("200 OK", b"0", None)

    @pytest.mark.parametrize("when", ["before", "at the commit"])
    def test_a_logout_deletes_the_cookie_and_says_that_the_server_was_not_told(
        self, manager: SessionManager, visitor: Client, store: FullStore, form: t.Any, when: str
    ) -> None:
        store.fail(*(["get", "delete"] if when == "before" else ["delete"]))
        visitor.app = SessionMiddleware(form(serving(Session.destroy)), manager)
        reply = visitor.get()
        assert (reply.status, reply.cookie) == ("503 Service Unavailable", "sid=")
        assert b"could not be told" in reply.body

    def test_an_exception_after_a_logout_in_an_outage_passes(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        store.fail()
        visitor.app = SessionMiddleware(serving(raising(ValueError("x"), Session.destroy)), manager)

        with pytest.raises(ValueError, match="x"):
            visitor.get()

    def test_what_was_saved_before_it_is_announced(
        self, manager: SessionManager, store: FullStore
    ) -> None:
        def view(session: Session) -> None:
            session.save()
            session["n"] = 1
            store.fail()

        reply = call(SessionMiddleware(serving(view), manager))
        assert reply.status == "503 Service Unavailable"
        assert reply.cookie is not None


class TestNesting:
    def test_the_same_manager_twice_is_one_session_and_one_commit(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        def outer(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            session = environ["sessionkit.session"]
            session["outer"] = 1
            body = inner(environ, start_response)
            assert environ["inner"] is session
            session["after"] = 1
            return body

        inner = SessionMiddleware(serving_at("inner", write), manager, environ_key="inner")
        store.calls.clear()
        visitor.app = SessionMiddleware(outer, manager)
        reply = visitor.get()
        assert store.calls == ["get", "swap"]
        assert reply.all("Set-Cookie") == []
        assert dict(manager.open(visitor.cookie)) == {"a": 1, "outer": 1, "n": 1, "after": 1}

    def test_another_manager_with_the_same_cookie_is_an_error(
        self, make_manager: MakeManager
    ) -> None:
        inner = SessionMiddleware(serving(write), make_manager())

        with pytest.raises(ConfigurationError, match="two session managers use the cookie 'sid'"):
            call(SessionMiddleware(inner, make_manager()))

    def test_another_manager_with_another_cookie_keeps_its_own_session(
        self, make_manager: MakeManager
    ) -> None:
        outer, inner = make_manager(), make_manager(cookie=CookieOptions(name="inner"))
        mounted = SessionMiddleware(serving(lambda session: session.update(inner=1)), inner)

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            environ["sessionkit.session"]["outer"] = 1
            return mounted(environ, start_response)

        cookies = [c.split(";")[0] for c in call(SessionMiddleware(app, outer)).all("Set-Cookie")]
        assert [cookie.split("=")[0] for cookie in cookies] == ["inner", "sid"]
        assert dict(inner.open(cookies[0])) == {"inner": 1}
        assert dict(outer.open(cookies[1])) == {"outer": 1}

    def test_an_environ_that_is_used_again_gets_a_session_of_its_own(
        self, manager: SessionManager
    ) -> None:
        views = iter([raising(ValueError("first"), write), write])

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            return serving(next(views))(environ, start_response)

        attempt = SessionMiddleware(app, manager)

        def trying_again(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            with pytest.raises(ValueError, match="first"):
                attempt(environ, start_response)

            return attempt(environ, start_response)

        reply = call(trying_again)
        assert dict(manager.open(reply.cookie)) == {"n": 1}


def serving_at(key: str, view: View) -> App:
    def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
        return serving(view)({"sessionkit.session": environ[key]}, start_response)

    return app


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


def test_a_second_middleware_needs_no_more_than_a_manager() -> None:
    with pytest.raises(ConfigurationError, match="SessionManager"):
        SessionMiddleware(serving(write), "sqlite://")  # type: ignore[arg-type]


def test_the_session_stands_where_it_was_asked_for(manager: SessionManager) -> None:
    app = SessionMiddleware(serving_at("my.session", write), manager, environ_key="my.session")
    environ = new_environ()
    reply = Server().run(app, environ)
    assert reply.cookie is not None
    assert "sessionkit.session" not in environ


def test_time_is_asked_of_the_managers_clock(manager: SessionManager) -> None:
    reply = call(SessionMiddleware(serving(write), manager))
    session = manager.open(reply.cookie)
    assert session.created_at is not None
    assert session.created_at.timestamp() == NOW
