"""What other session systems were measured to do, and we do not."""

from __future__ import annotations

import time
import typing as t

import flask
import pytest

from flask_sessionkit import SessionKit
from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import Store
from sessionkit import tokens
from sessionkit.errors import StoreUnavailable
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from tests.security.conftest import MakeSite
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site
from tests.spies import Watched


class Flaky(Watched):
    """Fails for as many calls as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0

    def called(self, name: str) -> None:
        super().called(name)

        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("connection refused", unreachable=True)


def _during(site: Site, deed: t.Callable[[t.Any], object], meanwhile: str) -> t.Any:
    """Let *meanwhile* be requested and answered while a request that has read does its *deed*."""
    jar = site.jar()
    jar.get("/login")

    def slow(session: t.Any, query: Query) -> str:
        session.get("user")
        jar.copy().get(meanwhile)
        deed(session)
        return "slow"

    site.views["/slow"] = slow
    return jar, jar.copy().get("/slow")


def test_flask_session_brings_back_a_logged_out_session_by_a_mere_read(
    any_site: Site, clock: FakeClock
) -> None:
    for deed in (lambda session: None, lambda session: session.update({"late": 1})):
        jar, answer = _during(any_site, deed, "/logout")
        assert answer.set_cookie is None
        assert jar.get("/show").body == "[]"

    assert any_site.live() == 0


def test_flask_session_commits_what_the_application_has_not(tmp_path: t.Any) -> None:
    """Its SQLAlchemy store shares the application's session; ours shares nothing."""
    import sqlite3

    path = tmp_path / "application.sqlite3"
    app = flask.Flask("shop")
    app.config["SESSIONKIT_STORE"] = f"sqlite:///{tmp_path}/sessions.sqlite3"
    SessionKit(app)
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE orders (id)")
    database.commit()

    @app.route("/")
    def order() -> str:
        database.execute("INSERT INTO orders VALUES (1)")
        flask.session["ordered"] = True
        return "never committed"

    assert app.test_client().get("/").status_code == 200
    others = sqlite3.connect(path)
    assert others.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    others.close()
    database.close()


def test_flask_session_cannot_delete_a_host_cookie(make_site: MakeSite, kind: str) -> None:
    site = make_site(kind, cookie=CookieOptions(name="__Host-sid", partitioned=True))
    jar = site.jar(scheme="https")
    jar.get("/login")
    deletion = set((jar.get("/logout").set_cookie or "").split("; "))
    assert {"Max-Age=0", "Path=/", "Secure", "Partitioned"} <= deletion
    assert jar.cookies == {}


def test_flask_session_ignores_partitioned() -> None:
    app = flask.Flask("framed")
    app.config.update(SESSIONKIT_STORE="memory:", SESSION_COOKIE_PARTITIONED=True)
    SessionKit(app)
    app.add_url_rule("/", view_func=lambda: str(flask.session.setdefault("a", 1)))
    header = app.test_client().get("/", base_url="https://localhost").headers["Set-Cookie"]
    assert "; Partitioned" in header


def test_flask_session_fails_slowly_on_pages_without_a_session(
    make_site: MakeSite, kind: str
) -> None:
    store = Flaky()
    jar = make_site(kind, store).jar()
    jar.get("/login")
    store.failures, store.calls = 10**6, []
    assert jar.get("/notouch").status == 200
    assert store.calls == []
    answers = [jar.get("/whoami").status for _ in range(20)]
    assert answers == [503] * 20
    # And not one attempt after the other: after a few the breaker spares them.
    assert len(store.calls) < 10


def test_flask_session_fails_again_where_it_handles_its_failure(make_site: MakeSite) -> None:
    store = Flaky()
    site = make_site("flask", store)
    app = t.cast(flask.Flask, site.wsgi)
    app.register_error_handler(500, lambda error: (f"sorry, {flask.session.get('user')}", 500))
    jar = site.jar()
    jar.get("/login")
    store.failures = 10**6
    started = time.monotonic()
    answer = jar.get("/whoami")
    assert (answer.status, answer.set_cookie) == (503, None)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("kind", ["django"])
def test_django_logs_out_by_one_failed_read_of_its_cache(make_site: MakeSite, kind: str) -> None:
    store = Flaky()
    jar = make_site(kind, store).jar()
    jar.get("/login")
    store.failures = 1
    answer = jar.get("/whoami")
    assert (answer.status, answer.set_cookie) == (503, None)
    assert jar.get("/whoami").body == "alice"


def test_django_deletes_the_new_cookie_in_answer_to_the_old_one(any_site: Site) -> None:
    """A request with the id of before the login is served just after it."""
    jar = any_site.jar()
    jar.get("/count")
    late = jar.copy()
    jar.get("/login")

    for path in ("/whoami", "/show", "/count", "/notouch"):
        assert late.get(path).set_cookie is None

    assert jar.get("/whoami").body == "alice"


def test_django_cached_db_fills_its_cache_with_what_was_revoked(
    any_site: Site, clock: FakeClock
) -> None:
    jar = any_site.jar()
    jar.get("/login")

    def slow(session: t.Any, query: Query) -> str:
        user = session["user"]
        any_site.manager.revoke_all("alice")
        return f"was {user}"

    any_site.views["/slow"] = slow
    clock.advance(5 * 86400)
    assert jar.copy().get("/slow").body == "was alice"
    assert jar.get("/whoami").body == "nobody"
    assert any_site.manager.sessions_of("alice") == []


def test_django_db_takes_an_outage_for_a_logout(make_site: MakeSite) -> None:
    """Any error of its database at the end of a request is answered 400, "may have logged out"."""
    store = Flaky()
    site = make_site("django", store)
    jar = site.jar()
    jar.get("/login")

    def view(session: t.Any, query: Query) -> str:
        session["note"] = 1
        store.failures = 1
        return "done"

    site.views["/fail"] = view
    answer = jar.get("/fail")
    assert (answer.status, answer.set_cookie) == (503, None)
    assert "logged" not in answer.body
    assert jar.get("/whoami").body == "alice"


def test_django_db_takes_ten_statements_for_a_login(make_site: MakeSite, kind: str) -> None:
    store = Flaky()
    jar = make_site(kind, store).jar()
    jar.get("/count")
    assert store.calls == ["swap"]
    store.calls.clear()
    jar.get("/count")
    assert store.calls == ["get", "swap"]
    store.calls.clear()
    jar.get("/login")
    assert store.calls == ["get", "move"]


def test_beaker_and_starsessions_take_any_id(any_site: Site) -> None:
    chosen = "Q2hvc2VuLWJ5LWEtY2xpZW50LW5vdC1ieS11cy0x"
    jar = any_site.jar(cookies={"sid": chosen})
    jar.get("/count")
    assert any_site.store.get(tokens.digest(chosen)) is None
    assert chosen not in (jar.value or "")


@pytest.mark.parametrize("way", ["/renew", "/login", "/logout"])
def test_beaker_and_starsessions_leave_the_old_record_valid(any_site: Site, way: str) -> None:
    jar = any_site.jar()
    jar.get("/put", {"note": "marker"})
    old = jar.copy()
    jar.get(way)
    assert old.get("/show").body == "[]"
    assert old.get("/whoami").body == "nobody"


def test_beaker_has_neither_httponly_nor_secure_by_default(site: Site) -> None:
    header = site.jar(scheme="https").get("/login").set_cookie or ""
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(header.split("; "))


def test_beaker_fails_on_an_id_of_five_kilobytes(any_site: Site) -> None:
    answer = any_site.jar().send("sid=" + "a" * 5000)
    assert (answer.status, answer.body) == (200, "nobody")


def test_django_user_sessions_has_live_ids_in_its_addresses(any_site: Site) -> None:
    """What a page of devices would show and post is no id."""
    jar, other = any_site.jar(), any_site.jar()
    jar.get("/login")
    other.get("/login")
    handles = [info.public_id for info in any_site.manager.sessions_of("alice")]
    assert len(handles) == 2

    for handle in handles:
        assert any_site.jar(cookies={"sid": handle}).get("/whoami").body == "nobody"
        assert not any_site.manager.revoke("bob", handle)

    assert [jar.get("/whoami").body, other.get("/whoami").body] == ["alice", "alice"]


def test_the_cookies_of_flask_and_starlette_work_after_a_logout(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/login")
    captured = jar.copy()
    jar.get("/logout")
    assert captured.get("/whoami").body == "nobody"


def test_express_and_aspnet_answer_before_the_session_is_saved(any_site: Site) -> None:
    seen: list[str] = []

    def redirect(session: t.Any, query: Query) -> Said:
        session["to"] = "here"

        def body() -> t.Iterator[bytes]:
            # The first byte leaves: whoever follows the redirect now finds what was saved.
            keys = any_site.keys()
            seen.append(str([b"here" in any_site.store.get(key).payload for key in keys]))
            yield b"go there"

        return Said(body(), 302, (("Location", "/show"),))

    any_site.views["/go"] = redirect
    jar = any_site.jar()
    jar.get("/go")
    assert seen == ["[True]"]
    assert jar.get("/show").body == "[('to', 'here')]"


def test_connect_redis_merged_deeply_and_mixed_up_lists(any_site: Site) -> None:
    jar = any_site.jar()
    any_site.views["/fill"] = lambda session, query: session.update({"cart": ["a", "b"]}) or "ok"

    def shorten(session: t.Any, query: Query) -> str:
        session["cart"] = ["b"]
        jar.copy().get("/put", {"other": "1"})
        return "shortened"

    any_site.views["/shorten"] = shorten
    jar.get("/fill")
    jar.get("/shorten")
    assert jar.get("/show").body == "[('cart', ['b']), ('other', '1')]"


def test_tower_sessions_serves_expired_sessions_from_memory(
    make_site: MakeSite, any_store: Store, clock: FakeClock
) -> None:
    jar = make_site("wsgi", any_store, idle_timeout=60).jar()
    jar.get("/login")
    clock.advance(61)
    assert jar.get("/whoami").body == "nobody"


def test_spring_session_fails_for_ever_by_one_value_that_cannot_be_read() -> None:
    import enum

    class Colour(enum.Enum):
        RED = 1

    store = MemoryStore()
    writer = SessionManager(store, types=[Colour])
    session = writer.open()
    session.update({"user": "alice", "colour": Colour.RED})
    value = t.cast(t.Any, writer.commit(session)).value
    reader = SessionManager(store)
    opened = reader.open(f"sid={value}")
    assert dict(opened) == {"user": "alice"}
    opened["new"] = 1
    reader.commit(opened)
    # Those who can still read it find it.
    assert writer.open(f"sid={value}")["colour"] is Colour.RED


def test_spring_session_leaves_dead_ids_in_its_index(any_site: Site) -> None:
    jar = any_site.jar()

    for _ in range(5):
        jar.get("/login")
        jar.get("/renew")
        jar.get("/logout")

    jar.get("/login")
    assert len(any_site.manager.sessions_of("alice")) == 1
    assert len(any_site.store.owned_by("alice", any_site.manager.clock())) == 1
