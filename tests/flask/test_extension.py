"""SessionKit: applications, settings and what is wrong with them."""

from __future__ import annotations

import dataclasses
import datetime
import stat
import sys
import typing as t
from pathlib import Path

import flask
import pytest

from flask_sessionkit import SessionKit
from flask_sessionkit import SessionKitInterface
from flask_sessionkit import flask_policy
from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit.errors import ConfigurationError
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.sqlite import SQLiteStore

from .conftest import MakeApp

DAY = 24 * 60 * 60


def manager_of(app: flask.Flask) -> SessionManager:
    kit: SessionKit = app.extensions["sessionkit"]
    return t.cast(SessionManager, kit.manager_of(app))


def set_cookie(app: flask.Flask, **arguments: t.Any) -> str:
    @app.get("/set")
    def change() -> str:
        flask.session["x"] = 1
        return ""

    return app.test_client().get("/set", **arguments).headers["Set-Cookie"]


def test_one_extension_serves_several_applications() -> None:
    kit = SessionKit()
    apps = [flask.Flask("one"), flask.Flask("two")]

    for app in apps:
        kit.init_app(app)
        app.config["SESSIONKIT_STORE"] = "memory:"

    assert kit.manager_of(apps[0]) is kit.manager_of(apps[0])
    assert kit.manager_of(apps[0]) is not kit.manager_of(apps[1])

    with apps[1].app_context():
        assert kit.manager is kit.manager_of(apps[1])

    with pytest.raises(RuntimeError):
        _ = kit.manager


def test_settings_are_read_at_the_first_request() -> None:
    app = flask.Flask("late")
    SessionKit(app)
    app.config.update(
        SESSIONKIT_STORE="memory:", SESSION_COOKIE_NAME="late", SESSION_COOKIE_PATH="/s"
    )
    assert set_cookie(app).startswith("late=")
    app.config["SESSION_COOKIE_NAME"] = "later"
    assert manager_of(app).cookie.name == "late"


def test_the_default_is_a_file_in_the_instance_folder(tmp_path: Path) -> None:
    app = flask.Flask("default", instance_path=str(tmp_path / "var" / "instance"))
    SessionKit(app)
    assert not Path(app.instance_path).exists()
    set_cookie(app)
    store = manager_of(app).store
    assert isinstance(store, SQLiteStore)
    assert store.path == str(Path(app.instance_path, "sessions.sqlite3"))
    assert stat.S_IMODE(Path(app.instance_path).stat().st_mode) == 0o700


def test_an_instance_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    app = flask.Flask("default", instance_path=str(tmp_path / "file" / "instance"))
    SessionKit(app)

    with pytest.raises(ConfigurationError, match=r"^SESSIONKIT_STORE: it is not set"):
        manager_of(app)


def test_a_manager_in_place_of_settings(make_app: MakeApp) -> None:
    manager = SessionManager(MemoryStore(), policy=flask_policy())
    app = flask.Flask("given")
    SessionKit(app, manager=manager)
    assert manager_of(app) is manager
    assert set_cookie(app).startswith("sid=")

    app = flask.Flask("both")
    SessionKit(app, manager=manager)
    app.config["SESSIONKIT_SECRETS"] = ["s" * 32]

    with pytest.raises(ConfigurationError, match="SESSIONKIT_SECRETS"):
        manager_of(app)


def test_a_store_is_no_manager() -> None:
    with pytest.raises(ConfigurationError, match="SESSIONKIT_STORE"):
        SessionKit(flask.Flask("wrong"), MemoryStore())  # type: ignore[arg-type]


def test_an_application_with_other_sessions() -> None:
    with pytest.raises(ConfigurationError, match="SessionKit's"):
        SessionKit().manager_of(flask.Flask("other"))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"SESSIONKIT_STORE": "nothing://"}, "SESSIONKIT_STORE: .*nothing"),
        ({"SESSIONKIT_STORE": 5}, "SESSIONKIT_STORE.*: store must be a store"),
        ({"SESSIONKIT_SECRETS": "text"}, "SESSIONKIT_SECRETS.*: secrets must be a list"),
        (
            {"SESSIONKIT_POLICY": {"idle": 5}},
            "SESSIONKIT_POLICY: there is no 'idle'; known .*idle_",
        ),
        ({"SESSIONKIT_POLICY": {"idle_timeout": -5}}, "SESSIONKIT_POLICY: idle_timeout must be"),
        ({"SESSIONKIT_POLICY": 5}, "SESSIONKIT_POLICY: must be a dict"),
        ({"PERMANENT_SESSION_LIFETIME": 0}, "PERMANENT_SESSION_LIFETIME must be more than 0"),
        ({"SESSIONKIT_COOKIE": {"expires": 5}}, "SESSIONKIT_COOKIE.*: there is no 'expires'"),
        ({"SESSIONKIT_COOKIE": "sid"}, "SESSIONKIT_COOKIE.*: must be a dict"),
        ({"SESSION_COOKIE_SAMESITE": "odd"}, "SESSION_COOKIE.*: cookie samesite 'Odd'"),
        ({"SESSIONKIT_STROE": "memory:"}, "SESSIONKIT_STROE is no setting; known are .*STORE"),
    ],
)
def test_errors_name_the_setting(
    make_app: MakeApp, settings: dict[str, t.Any], problem: str
) -> None:
    app = make_app(**settings)

    with pytest.raises(ConfigurationError, match=problem):
        app.test_client().get("/")


def test_a_client_library_that_is_missing(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sessionkit.stores.redis", None)

    with pytest.raises(ConfigurationError, match=r"^SESSIONKIT_STORE: .*wsgi-sessionkit\[redis\]"):
        manager_of(make_app(SESSIONKIT_STORE="redis://user:secret@host"))


def test_a_wrong_setting_is_a_500_in_production(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(TESTING=False, SESSIONKIT_STORE="nothing://")
    assert app.test_client().get("/").status_code == 500
    assert "SESSIONKIT_STORE" in caplog.text


def test_cookie_defaults(make_app: MakeApp) -> None:
    header = set_cookie(make_app())
    assert header.startswith("session=")
    assert header.endswith("; Path=/; HttpOnly; SameSite=Lax")
    header = set_cookie(make_app(), base_url="https://localhost")
    assert header.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")


def test_cookie_settings_of_flask(make_app: MakeApp) -> None:
    header = set_cookie(
        make_app(
            SESSION_COOKIE_NAME="name",
            SESSION_COOKIE_DOMAIN=".example.org",
            SESSION_COOKIE_PATH="/path",
            SESSION_COOKIE_HTTPONLY=False,
            SESSION_COOKIE_SECURE=True,
            SESSION_COOKIE_SAMESITE="strict",
            SESSION_COOKIE_PARTITIONED=True,
        )
    )
    assert header.startswith("name=")
    assert header.endswith("; Path=/path; Domain=example.org; Secure; SameSite=Strict; Partitioned")


def test_the_path_is_the_applications_root(make_app: MakeApp) -> None:
    assert "; Path=/root;" in set_cookie(make_app(APPLICATION_ROOT="/root"))


def test_our_cookie_settings_win(make_app: MakeApp) -> None:
    header = set_cookie(
        make_app(SESSION_COOKIE_SAMESITE="Strict", SESSIONKIT_COOKIE={"samesite": None})
    )
    assert "SameSite" not in header
    options = CookieOptions(name="own")
    assert manager_of(make_app(SESSIONKIT_COOKIE=options)).cookie is options


def test_an_interface_of_ones_own() -> None:
    class Interface(SessionKitInterface):
        def get_cookie_path(self, app: flask.Flask) -> str:
            return "/computed"

    class Kit(SessionKit):
        interface_class = Interface

    app = flask.Flask("own")
    app.config["SESSIONKIT_STORE"] = "memory:"
    Kit(app)
    assert "Path=/computed" in set_cookie(app)


def test_secrets_sign_the_cookie(make_app: MakeApp) -> None:
    value = set_cookie(make_app(SESSIONKIT_SECRETS=["s" * 32])).partition(";")[0]
    assert value.count(".") == 1
    assert "." not in set_cookie(make_app()).partition(";")[0]


def test_policy_defaults(make_app: MakeApp) -> None:
    policy = manager_of(make_app()).policy
    assert policy.idle_timeout == 31 * DAY
    assert policy.absolute_timeout == 90 * DAY
    assert policy.ownerless_timeout is None
    assert policy.transient
    assert policy.queues == ("_flashes",)
    assert policy.form_tokens == ("csrf_token",)


def test_the_lifetime_is_the_idle_timeout(make_app: MakeApp) -> None:
    lifetime = datetime.timedelta(days=365)
    policy = manager_of(make_app(PERMANENT_SESSION_LIFETIME=lifetime)).policy
    assert (policy.idle_timeout, policy.absolute_timeout) == (365 * DAY, 365 * DAY)
    settings = {"idle_timeout": 60, "absolute_timeout": 120, "transient": False}
    policy = manager_of(make_app(SESSIONKIT_POLICY=settings)).policy
    assert (policy.idle_timeout, policy.absolute_timeout) == (60, 120)
    assert not policy.transient


def test_a_ready_policy_only_learns_flasks_keys(make_app: MakeApp) -> None:
    given = SessionPolicy(queues=("mine",), idle_timeout=60)
    policy = manager_of(make_app(SESSIONKIT_POLICY=given, WTF_CSRF_FIELD_NAME="t")).policy
    assert set(policy.queues) == {"mine", "_flashes"}
    assert set(policy.form_tokens) == {"csrf_token", "t"}
    assert dataclasses.replace(policy, queues=given.queues, form_tokens=()) == given


def test_types_are_registered(make_app: MakeApp) -> None:
    import enum

    class Colour(enum.Enum):
        RED = 1

    app = make_app(SESSIONKIT_TYPES=[Colour])

    with app.test_client() as client, client.session_transaction() as session:
        session["colour"] = Colour.RED
