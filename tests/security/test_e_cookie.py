"""Section E of the checklist: the cookie."""

from __future__ import annotations

import re
import typing as t

import flask
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flask_sessionkit import SessionKit
from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit.errors import ConfigurationError
from sessionkit.stores.memory import MemoryStore
from tests.security.conftest import MakeSite
from tests.security.sites import Query
from tests.security.sites import Site
from tests.security.sites import django_settings
from tests.security.sites import wsgi_site


def _default_cookie(kind: str) -> CookieOptions:
    """The cookie of an application that says nothing about it."""
    if kind == "wsgi":
        return SessionManager(MemoryStore()).cookie

    if kind == "flask":
        app = flask.Flask("default")
        app.config["SESSIONKIT_STORE"] = "memory:"
        return SessionKit(app).manager_of(app).cookie

    with django_settings():
        from django_sessionkit.registry import get_manager

        return get_manager().cookie


def test_item_39_the_defaults_are_safe(make_site: MakeSite, kind: str) -> None:
    site = make_site(kind, cookie=_default_cookie(kind))
    header = site.jar(scheme="https").get("/login").set_cookie or ""
    attributes = set(header.split("; ")[1:])
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= attributes
    assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_item_39_over_http_secure_is_left_out_unless_it_is_asked_for(
    make_site: MakeSite, kind: str
) -> None:
    development = make_site(kind).jar().get("/login").set_cookie or ""
    assert "Secure" not in development
    strict = make_site(kind, cookie=CookieOptions(secure=True)).jar().get("/login").set_cookie
    assert "; Secure" in (strict or "")


def test_item_39_a_proxy_that_is_not_handled_is_reported_once(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        site.jar().get("/login", HTTP_X_FORWARDED_PROTO="https")

    assert caplog.text.count("X-Forwarded-Proto") == 1


@pytest.mark.parametrize("name", ["__Host-sid", "__host-sid", "__HOST-sid", "__Host-Http-sid"])
def test_item_40_host_cookies(make_site: MakeSite, kind: str, name: str) -> None:
    header = make_site(kind, cookie=CookieOptions(name=name)).jar().get("/login").set_cookie or ""
    assert header.startswith(f"{name}=")
    assert {"Path=/", "Secure", "HttpOnly"} <= set(header.split("; "))

    for contradiction in ({"domain": "localhost"}, {"path": "/app"}, {"secure": False}):
        with pytest.raises(ConfigurationError, match="cookie"):
            CookieOptions(name=name, **t.cast(t.Any, contradiction))


@pytest.mark.parametrize("name", ["__Secure-sid", "__secure-sid", "__Http-sid", "__http-sid"])
def test_item_40_secure_cookies(make_site: MakeSite, kind: str, name: str) -> None:
    header = make_site(kind, cookie=CookieOptions(name=name)).jar().get("/login").set_cookie or ""
    assert "; Secure" in header

    with pytest.raises(ConfigurationError, match="secure"):
        CookieOptions(name=name, secure=False)


@pytest.mark.parametrize("name", ["__Http-sid", "__http-sid", "__Host-Http-sid", "__HOST-HTTP-s"])
def test_item_40_http_cookies_are_hidden_from_scripts(name: str) -> None:
    with pytest.raises(ConfigurationError, match="httponly"):
        CookieOptions(name=name, httponly=False)


VALUE = re.compile(r"[!#-+\--:<-\[\]-~]+").fullmatch


def everything(session: t.Any, query: Query) -> str:
    session["a"] = 1
    session.save()
    session.bind("alice")
    session.save()
    session.bind("bob")
    return "done"


@pytest.mark.parametrize("secrets", [None, ["a secret"]])
def test_item_42_one_cookie_of_valid_syntax(
    make_site: MakeSite, kind: str, secrets: list[str] | None
) -> None:
    site = make_site(kind, secrets=secrets)
    site.views["/everything"] = everything
    answer = site.jar().get("/everything")
    assert answer.body == "done"
    assert len(answer.all("Set-Cookie")) == 1
    pair, *attributes = (answer.set_cookie or "").split("; ")
    assert VALUE(pair.partition("=")[2])
    assert all(len(attribute) < 1024 for attribute in attributes)
    assert len(pair) < 4096


INJECTIONS = ("a;b", "a\r\nSet-Cookie: x=y", "a\0b", "a\x7fb", "ä", "", "a" * 1024, "/a\n", "\t")


@pytest.mark.parametrize("text", INJECTIONS, ids=ascii)
def test_item_42_what_would_break_the_header_is_refused(text: str) -> None:
    for option in ("name", "path", "domain", "samesite"):
        with pytest.raises(ConfigurationError, match=option):
            CookieOptions(**t.cast(t.Any, {option: text}))


@pytest.mark.parametrize("name", ["a b", "a=b", "a,b", '"a"', "a/b", "a:b", "(a)", "a[0]"])
def test_item_42_a_name_is_a_token(name: str) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        CookieOptions(name=name)


@pytest.mark.parametrize("secrets", [None, ["a secret"]])
def test_item_43_no_cookie_without_need(
    make_site: MakeSite, kind: str, secrets: list[str] | None
) -> None:
    site = make_site(kind, secrets=secrets)
    jar = site.jar()
    assert jar.get("/notouch").set_cookie is None
    assert jar.get("/whoami").set_cookie is None
    jar.get("/login")

    for path in ("/notouch", "/whoami", "/show", "/count", "/increment", "/put"):
        assert jar.get(path, {"a": "b"}).set_cookie is None


def test_item_45_two_applications_side_by_side_do_not_end_each_other() -> None:
    sites = [
        wsgi_site(SessionManager(MemoryStore(), cookie=CookieOptions(path=path)))
        for path in ("/a", "/b")
    ]
    both = DispatcherMiddleware(sites[0].wsgi, {"/b": sites[1].wsgi})
    jar = sites[1].jar()
    jar.site.wsgi = t.cast(t.Any, both)
    assert "Path=/b" in (jar.get("/b/login").set_cookie or "")
    mine = jar.value
    # Of the other one: unknown here, and left alone.
    assert jar.send(f"sid={mine}", "/whoami").set_cookie is None
    assert jar.send(f"sid={mine}", "/logout").set_cookie is None
    assert jar.get("/b/whoami").body == "alice"
