"""Ids in a header, for clients of an API, in all three ways in."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import flask
import pytest
from werkzeug.middleware.lint import LintMiddleware

from flask_sessionkit import SessionKit
from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit import keys
from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import FakeClock
from tests.core.support import PlainStore
from tests.security.sites import Answer
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site
from tests.security.sites import django_settings
from tests.security.sites import site_of


class Client:
    """A client of an API: sends what it was answered, in the same header."""

    def __init__(self, site: Site, header: str, token: str = "") -> None:
        self.site = site
        self.header = header
        self.token = token

    def get(self, path: str, query: Query | None = None, cookie: str = "") -> Answer:
        is_authorization = self.header == "Authorization"
        value = f"Bearer {self.token}" if is_authorization else self.token
        extra = {f"HTTP_{self.header.upper().replace('-', '_')}": value, "HTTP_COOKIE": cookie}
        answer = self.site.jar().get(path, query, **extra)
        given = answer.all("X-Session-Id" if is_authorization else self.header)
        assert len(given) <= 1
        self.token = given[0] if given else self.token
        return answer


@pytest.fixture(params=["Authorization", "X-Session-Id", "x-api-session"])
def header(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def spy(clock: FakeClock) -> PlainStore:
    return PlainStore(clock)


@pytest.fixture(params=[None, ["a secret"]], ids=["bare", "signed"])
def site(
    request: pytest.FixtureRequest, kind: str, header: str, spy: PlainStore, clock: FakeClock
) -> cabc.Iterator[Site]:
    manager = SessionManager(
        spy,
        secrets=request.param,
        policy=SessionPolicy(idle_timeout=1000),
        header=header,
        clock=clock,
    )

    with site_of(kind, manager) as made:
        yield made


def test_a_session_by_header_alone(site: Site, header: str) -> None:
    client = Client(site, header)
    answer = client.get("/login")
    assert answer.set_cookie is None
    assert answer.all("Cache-Control") == ["no-store"]
    assert client.token
    assert client.get("/whoami").body == "alice"
    assert [client.get("/count").body for _ in range(3)] == ["1", "2", "3"]


def test_only_a_new_id_is_answered(site: Site, header: str) -> None:
    client = Client(site, header)
    client.get("/login")
    first = client.token
    assert not client.get("/count").all("X-Session-Id")
    client.get("/renew")
    assert client.token != first
    assert client.get("/whoami").body == "alice"
    assert Client(site, header, first).get("/whoami").body == "nobody"


def test_a_logout_says_nothing_of_cookies(site: Site, header: str) -> None:
    client = Client(site, header)
    client.get("/login")
    before = client.token
    answer = client.get("/logout")
    assert (answer.set_cookie, client.token) == (None, before)
    assert client.get("/whoami").body == "nobody"


@pytest.mark.parametrize("token", ["", "x", "x" * 40, "a, b", "\xff" * 30, "x" * 9000])
def test_a_bad_header_never_falls_back_to_the_cookie(
    site: Site, header: str, token: str, spy: PlainStore
) -> None:
    browser = site.jar()
    browser.get("/login")
    client = Client(site, header, token)
    cookie = f"sid={browser.value}"
    assert client.get("/whoami", cookie=cookie).body == "nobody"
    client.get("/logout", cookie=cookie)
    assert browser.get("/whoami").body == "alice"


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "", "Bearer", "Digest x", "sid"])
def test_another_kind_of_authorization_does_not_fall_back_either(
    kind: str, value: str, clock: FakeClock
) -> None:
    manager = SessionManager(PlainStore(clock), header="Authorization", clock=clock)

    with site_of(kind, manager) as made:
        browser = made.jar()
        browser.get("/login")
        assert browser.get("/whoami", HTTP_AUTHORIZATION=value).body == "nobody"
        bearer = f"bEaReR  {browser.value}"
        assert made.jar().get("/whoami", HTTP_AUTHORIZATION=bearer).body == "alice"


@pytest.mark.parametrize("value", [None, "Basic dXNlcjpwYXNz", "", "Bearer", "Bearer x"])
def test_a_view_can_tell_who_needs_no_protection_from_forged_forms(
    kind: str, value: str | None, clock: FakeClock
) -> None:
    manager = SessionManager(PlainStore(clock), header="Authorization", clock=clock)

    with site_of(kind, manager) as made:
        made.views["/exempt"] = lambda session, query: str(session.token is not None)
        sent: dict[str, t.Any] = {} if value is None else {"HTTP_AUTHORIZATION": value}
        assert made.jar().get("/exempt", **sent).body == str(value is not None)


def test_without_the_header_browsers_have_cookies_as_ever(site: Site, header: str) -> None:
    browser = site.jar()
    answer = browser.get("/login")
    assert (answer.set_cookie or "").startswith("sid=")
    assert not answer.all("X-Session-Id")
    assert browser.get("/whoami").body == "alice"


def test_caches_are_told_of_both(site: Site, header: str) -> None:
    for answer in (Client(site, header).get("/whoami"), site.jar().get("/whoami")):
        assert answer.all("Vary") == [f"Cookie, {header}"]
        assert answer.all("Cache-Control") == ["private"]


def test_an_answer_with_an_id_is_never_stored(site: Site, header: str) -> None:
    def view(session: t.Any, query: Query) -> Said:
        session["a"] = 1
        return Said("ok", headers=(("Cache-Control", "public, max-age=60"), ("Vary", "Accept")))

    site.views["/view"] = view
    answer = Client(site, header).get("/view")
    assert answer.all("Cache-Control") == ["no-store"]
    assert answer.all("Vary") == [f"Accept, Cookie, {header}"]


def test_an_untouched_session_adds_nothing(site: Site, header: str) -> None:
    answer = Client(site, header, "x" * 40).get("/notouch")
    assert not [name for name, _ in answer.headers if name in ("Vary", "Cache-Control", header)]


@pytest.mark.parametrize("kind", ["flask", "django"])
def test_a_streamed_answer_that_may_yet_use_it_depends_on_both(site: Site, header: str) -> None:
    site.views["/stream"] = lambda session, query: Said(iter([b"a", b"b"]))
    vary = Client(site, header).get("/stream").all("Vary")
    assert vary == [f"Cookie, {header}"]


@pytest.mark.parametrize("kind", ["django"])
def test_a_cookie_that_a_middleware_of_django_has_made_does_not_count_beside_it(
    site: Site, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.handlers.wsgi import WSGIRequest

    client, other = Client(site, header), site.jar()
    client.get("/login")
    other.get("/login", {"user": "bob"})
    monkeypatch.setattr(
        WSGIRequest,
        "__init__",
        _also(WSGIRequest.__init__, lambda request: vars(request).update(COOKIES=other.cookies)),
    )
    assert other.get("/whoami").body == "bob"
    assert client.get("/whoami").body == "alice"


def _also(first: t.Any, then: cabc.Callable[[t.Any], object]) -> t.Any:
    def both(self: t.Any, *args: t.Any) -> None:
        first(self, *args)
        then(self)

    return both


def test_an_id_that_was_made_up_is_not_adopted(site: Site, header: str) -> None:
    client = Client(site, header, "x" * 40)
    client.get("/login")
    assert "x" * 40 not in client.token
    assert Client(site, header, "x" * 40).get("/whoami").body == "nobody"


def test_an_outage_gives_no_id_away_and_takes_none(
    site: Site, header: str, spy: PlainStore
) -> None:
    client = Client(site, header)
    client.get("/login")
    before = client.token
    spy.trouble = StoreUnavailable("down")
    answers = [client.get(path) for path in ("/whoami", "/renew", "/logout")]
    assert [(answer.status, answer.set_cookie) for answer in answers] == [(503, None)] * 3
    assert not [answer for answer in answers if "logged out" in answer.body]
    spy.trouble = None
    assert client.token == before
    assert client.get("/whoami").body == "alice"


def test_below_another_middleware(site: Site, header: str) -> None:
    site.wsgi = SessionMiddleware(site.wsgi, site.manager)
    client = Client(site, header)
    assert client.get("/login").set_cookie is None
    assert client.get("/whoami").body == "alice"


def test_the_answer_is_well_formed(site: Site, header: str) -> None:
    site.wsgi = t.cast(t.Any, LintMiddleware(site.wsgi))
    client = Client(site, header)
    client.get("/login")
    assert client.get("/whoami").status == 200


def test_a_session_that_server_code_has_started(header: str, clock: FakeClock) -> None:
    manager = SessionManager(PlainStore(clock), header=header, clock=clock)

    def app(environ: t.Any, start_response: t.Any) -> list[bytes]:
        session = environ["sessionkit.session"] = manager.start()
        session["a"] = 1
        start_response("200 OK", [])
        return []

    made = Site(manager)
    made.wsgi = SessionMiddleware(app, manager)
    client = Client(made, header)
    assert client.get("/").set_cookie is None
    assert client.token


@pytest.mark.parametrize("encrypted", [True, False])
def test_sealed_sessions(kind: str, header: str, encrypted: bool, clock: FakeClock) -> None:
    manager = SealedSessionManager(
        [keys.new_key()], encrypted=encrypted, header=header, clock=clock
    )

    with site_of(kind, manager) as made:
        client = Client(made, header)
        assert [client.get("/count").body for _ in range(3)] == ["1", "2", "3"]
        assert client.get("/count").set_cookie is None


@pytest.mark.parametrize(
    "name", ["", "Cookie", "set-cookie", "Host", "Content-Type", "X_Session", "a b", "a:", "a\r\nb"]
)
def test_a_header_that_cannot_be_used_is_refused(name: str, clock: FakeClock) -> None:
    for wrong in (name, 5, True):
        with pytest.raises(ConfigurationError, match="header"):
            SessionManager(PlainStore(clock), header=t.cast(t.Any, wrong))

    app = flask.Flask("wrong")
    app.config.update(SESSIONKIT_STORE="memory:", SESSIONKIT_HEADER=name)

    with pytest.raises(ConfigurationError, match="SESSIONKIT_HEADER"):
        SessionKit(app).manager_of(app)

    with django_settings(SESSIONKIT={"STORE": "memory:", "HEADER": name}):
        from django_sessionkit.checks import check_settings
        from django_sessionkit.registry import get_manager

        assert "HEADER" in str(check_settings())

        with pytest.raises(ConfigurationError, match="HEADER"):
            get_manager()


def test_the_setting_in_flask_and_django() -> None:
    for store in ("memory:", "cookie:signed"):
        common: dict[str, t.Any] = {"STORE": store, "SECRETS": [keys.new_key()]}
        app = flask.Flask("api")
        app.config.update({f"SESSIONKIT_{name}": value for name, value in common.items()})
        app.config["SESSIONKIT_HEADER"] = "Authorization"
        made = SessionKit(app).manager_of(app).id_header
        assert made is not None
        assert made.name == "Authorization"

        with django_settings(SESSIONKIT={**common, "HEADER": "X-Session-Id"}):
            from django_sessionkit.registry import get_manager

            made = get_manager().id_header
            assert made is not None
            assert made.answer_name == "X-Session-Id"


def test_the_cookies_options_do_not_matter(kind: str, clock: FakeClock) -> None:
    cookie = CookieOptions(name="__Host-sid", secure=True)
    manager = SessionManager(PlainStore(clock), cookie=cookie, header="X-Session-Id", clock=clock)

    with site_of(kind, manager) as made:
        client = Client(made, "X-Session-Id")
        client.get("/login")
        assert client.get("/whoami").body == "alice"
