"""Flask-Login: its login renews and sets the owner, its logout ends; its glances cost nothing."""

from __future__ import annotations

import typing as t

import flask
import flask_login
import pytest
from flask.testing import FlaskClient

from flask_sessionkit import load_user_from_owner
from flask_sessionkit import session
from sessionkit import Session
from sessionkit.errors import ConfigurationError

from .conftest import MakeApp
from .conftest import Spy

# Flask-Login calls it for the remember-me cookie.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


class User(flask_login.UserMixin):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        self.id = name


def add_login(app: flask.Flask) -> flask_login.LoginManager:
    app.secret_key = "for the remember-me cookie"
    manager = flask_login.LoginManager(app)
    manager.user_loader(User)

    @app.get("/login/<name>")
    def login(name: str) -> str:
        flask_login.login_user(User(name), remember="remember" in flask.request.args)
        session["by"] = name
        return ""

    @app.get("/logout")
    def logout() -> str:
        flask_login.logout_user()
        flask.flash("bye")
        return ""

    @app.get("/who")
    def who() -> str:
        return str(flask_login.current_user.get_id())

    @app.get("/put/<key>")
    def put(key: str) -> str:
        session[key] = 1
        return ""

    @app.get("/keys")
    def all_keys() -> list[str]:
        return sorted(session)

    @app.get("/owner")
    def owner() -> str:
        return str(session.owner)

    return manager


@pytest.fixture
def app(make_app: MakeApp, spy: Spy) -> flask.Flask:
    app = make_app(SESSIONKIT_STORE=spy)
    add_login(app)
    return app


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


def cookie(client: FlaskClient) -> str | None:
    found = client.get_cookie("session")
    return None if found is None else found.value


def keys(client: FlaskClient) -> list[str]:
    return t.cast("list[str]", client.get("/keys").json)


def is_live(app: flask.Flask, value: str | None) -> bool:
    manager = app.extensions["sessionkit"].manager_of(app)
    return manager.load(str(value)) is not None


def test_login_binds_and_renews(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/put/cart")
    before = cookie(client)
    client.get("/login/alice")
    assert client.get("/owner").text == client.get("/who").text == "alice"
    assert "cart" in keys(client)
    assert cookie(client) != before
    assert not is_live(app, before)


def test_logout_ends_everything_but_messages(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/login/alice")
    client.get("/put/secret")
    before = cookie(client)
    client.get("/logout")
    assert not is_live(app, before)
    assert cookie(client) != before
    assert keys(client) == ["_flashes"]
    assert client.get("/who").text == "None"
    assert client.get("/owner").text == "None"


def test_a_logout_that_fails_is_a_logout(app: flask.Flask, client: FlaskClient) -> None:
    @app.get("/fail")
    def fail() -> tuple[str, int]:
        flask_login.logout_user()
        return "", 500

    client.get("/login/alice")
    before = cookie(client)
    client.get("/fail")
    assert not is_live(app, before)


def test_a_login_that_fails_is_none(app: flask.Flask, client: FlaskClient) -> None:
    @app.get("/fail")
    def fail() -> tuple[str, int]:
        flask_login.login_user(User("alice"))
        return "", 500

    client.get("/fail")
    assert client.get("/who").text == "None"


def test_another_users_login_drops_the_first_ones_data(client: FlaskClient) -> None:
    client.get("/login/alice")
    client.get("/put/secret")
    client.get("/login/bob")
    assert client.get("/owner").text == "bob"
    assert "secret" not in keys(client)
    assert "by" in keys(client)


def test_another_users_login_that_is_saved_early(app: flask.Flask, client: FlaskClient) -> None:
    @app.get("/early")
    def early() -> str:
        flask_login.login_user(User("bob"))
        session.save()
        return ""

    client.get("/login/alice")
    client.get("/put/secret")
    client.get("/early")
    assert client.get("/owner").text == client.get("/who").text == "bob"
    assert "secret" not in keys(client)


def test_the_same_users_login_renews(client: FlaskClient) -> None:
    client.get("/login/alice")
    client.get("/put/cart")
    before = cookie(client)
    client.get("/login/alice")
    assert cookie(client) != before
    assert "cart" in keys(client)


def test_a_confirmed_login_renews(app: flask.Flask, client: FlaskClient) -> None:
    @app.get("/confirm")
    def confirm() -> str:
        flask_login.confirm_login()
        return ""

    client.get("/login/alice")

    with client.session_transaction() as opened:
        opened["_fresh"] = False

    before = cookie(client)
    client.get("/confirm")
    assert cookie(client) != before
    before = cookie(client)
    client.get("/confirm")
    assert cookie(client) == before


@pytest.mark.parametrize("first", [True, False])
def test_an_owner_that_the_application_chose(
    app: flask.Flask, client: FlaskClient, first: bool
) -> None:
    @app.get("/chosen")
    def chosen() -> str:
        if first:
            session.bind("uuid-1")

        flask_login.login_user(User("1"))

        if not first:
            session.bind("uuid-1")

        return ""

    client.get("/chosen")
    assert client.get("/owner").text == "uuid-1"
    assert client.get("/who").text == "1"
    client.get("/put/x")
    assert client.get("/owner").text == "uuid-1"
    client.get("/logout")
    assert client.get("/owner").text == "None"


def test_a_logout_by_clear(client: FlaskClient, app: flask.Flask) -> None:
    @app.get("/clear")
    def clear() -> str:
        session.clear()
        flask_login.login_user(User("carol"))
        return ""

    client.get("/login/alice")
    client.get("/put/secret")
    client.get("/clear")
    assert client.get("/owner").text == "carol"
    assert keys(client) == ["_fresh", "_id", "_user_id"]


def test_a_session_from_before_gets_its_owner(app: flask.Flask, client: FlaskClient) -> None:
    manager = app.extensions["sessionkit"].manager_of(app)
    old = manager.open()
    old["_user_id"] = "alice"
    client.set_cookie("session", manager.commit(old).value)
    assert client.get("/who").text == "alice"
    assert client.get("/owner").text == "alice"


def test_a_logout_of_nobody_changes_nothing(client: FlaskClient) -> None:
    client.get("/put/cart")
    before = cookie(client)
    client.get("/logout")
    assert cookie(client) == before
    assert "cart" in keys(client)


def test_a_logout_with_the_old_id_ends_the_new_one(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/login/alice")
    before = cookie(client)
    client.get("/login/alice")
    after = cookie(client)
    client.set_cookie("session", str(before))
    client.get("/logout")
    assert not is_live(app, after)


def test_login_during_an_outage(make_app: MakeApp, spy: Spy) -> None:
    app = make_app(SESSIONKIT_STORE=spy, SESSIONKIT_POLICY={"outage": "unavailable"})
    add_login(app)
    client = app.test_client()
    client.get("/put/x")
    before = cookie(client)
    spy.down = True
    assert client.get("/login/alice").status_code == 503
    assert client.get("/logout").status_code == 503
    spy.down = False
    assert cookie(client) is None or cookie(client) == before


def test_remember_me(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/login/alice?remember=1")
    client.delete_cookie("session")
    assert client.get("/who").text == "alice"
    assert client.get("/owner").text == "alice"
    client.get("/logout")
    assert client.get_cookie("remember_token") is None
    assert client.get("/who").text == "None"


@pytest.mark.parametrize("permanent", [False, True])
def test_strong_protection(make_app: MakeApp, permanent: bool) -> None:
    app = make_app(SESSION_PROTECTION="strong")
    add_login(app)
    client = app.test_client()
    client.get("/login/alice", headers={"User-Agent": "mine"})
    client.get("/put/secret", headers={"User-Agent": "mine"})

    if permanent:
        with client.session_transaction() as opened:
            opened.permanent = True

    before = cookie(client)
    who = client.get("/who", headers={"User-Agent": "a thief's"}).text
    assert who == ("alice" if permanent else "None")
    assert is_live(app, before) == permanent


@pytest.mark.parametrize("path", ["/missing", "/static/missing.css"])
def test_its_glance_after_every_request_costs_nothing(
    client: FlaskClient, spy: Spy, path: str
) -> None:
    client.get("/login/alice")
    spy.last_calls()
    response = client.get(path)
    assert spy.last_calls() == []
    assert {"Vary", "Cache-Control", "Set-Cookie"}.isdisjoint(response.headers.keys())


def test_an_id_that_cannot_be_an_owner(client: FlaskClient) -> None:
    with pytest.raises(ConfigurationError, match="owner"):
        client.get(f"/login/{'x' * 300}")


def test_no_id_is_nobody(app: flask.Flask, client: FlaskClient) -> None:
    with client.session_transaction() as opened:
        opened["_user_id"] = None
        opened["cart"] = 1

    before = cookie(client)
    assert "cart" in keys(client)
    assert client.get("/owner").text == "None"
    assert cookie(client) == before


def test_a_login_manager_that_comes_late(make_app: MakeApp) -> None:
    app = make_app()
    client = app.test_client()

    with client.session_transaction() as opened:
        t.cast(Session, opened).bind("alice")

    load_user_from_owner(add_login(app))
    assert client.get("/who").text == "alice"
    client.get("/logout")
    assert client.get("/who").text == "None"


def test_its_test_client(app: flask.Flask) -> None:
    app.test_client_class = flask_login.FlaskLoginClient
    client = app.test_client(user=User("alice"))
    assert client.get("/who").text == client.get("/owner").text == "alice"


class TestKnownFromElsewhere:
    @pytest.fixture(params=["basic", "strong"])
    def app(self, request: pytest.FixtureRequest, make_app: MakeApp) -> flask.Flask:
        app = make_app(SESSION_PROTECTION=request.param)
        manager = add_login(app)
        load_user_from_owner(manager)

        @app.get("/elsewhere")
        def elsewhere() -> str:
            session["theirs"] = 1
            session.bind("alice")
            return ""

        @app.get("/elsewhere/logout")
        def elsewhere_logout() -> str:
            session.unbind()
            return ""

        return app

    def test_known(self, client: FlaskClient) -> None:
        assert client.get("/who").text == "None"
        client.get("/elsewhere")
        assert [client.get("/who").text for _ in range(2)] == ["alice", "alice"]

    def test_logged_out_here(self, app: flask.Flask, client: FlaskClient) -> None:
        client.get("/elsewhere")
        before = cookie(client)
        client.get("/logout")
        assert client.get("/who").text == "None"
        assert not is_live(app, before)

    def test_logged_out_there(self, client: FlaskClient) -> None:
        client.get("/elsewhere")
        client.get("/who")
        client.get("/elsewhere/logout")
        assert client.get("/who").text == "None"

    def test_logged_in_here_too(self, client: FlaskClient) -> None:
        client.get("/elsewhere")
        client.get("/login/alice")
        assert "theirs" in keys(client)
        client.get("/login/bob")
        assert "theirs" not in keys(client)


def test_a_loader_of_ones_own(make_app: MakeApp) -> None:
    app = make_app()
    manager = add_login(app)
    load_user_from_owner(manager, lambda owner: User(f"the one called {owner}"))

    with app.test_client() as client:
        with client.session_transaction() as opened:
            t.cast(Session, opened).bind("alice")

        assert client.get("/who").text == "the one called alice"
