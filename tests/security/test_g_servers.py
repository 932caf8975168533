"""Section G of the checklist, 58-62: errors, strict servers, clocks, files, the next user."""

from __future__ import annotations

import importlib
import os
import typing as t
import warnings
import wsgiref.validate
from pathlib import Path

import pytest
from werkzeug.middleware.lint import LintMiddleware

from sessionkit import SessionManager
from sessionkit import Store
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from tests.security.conftest import MakeSite
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site
from tests.security.sites import wsgi_site


def test_item_58_the_exception_of_the_application_passes(make_site: MakeSite) -> None:
    site = make_site("wsgi")
    error = LookupError("its own")

    def view(session: t.Any, query: Query) -> t.NoReturn:
        session["lost"] = 1
        raise error

    site.views["/boom"] = view

    with pytest.raises(LookupError) as caught:
        site.jar().get("/boom")

    assert caught.value is error
    assert site.keys() == []


@pytest.mark.parametrize("status", [500, 502, 503])
def test_item_58_a_failing_request_saves_nothing_in_any_way(any_site: Site, status: int) -> None:
    jar = any_site.jar()
    jar.get("/put", {"note": "before"})

    def view(session: t.Any, query: Query) -> Said:
        session["lost"] = 1
        session.bind("mallory")
        return Said("failed", status)

    any_site.views["/fail"] = view
    assert jar.get("/fail").set_cookie is None
    assert jar.get("/show").body == "[('note', 'before')]"
    assert any_site.manager.sessions_of("mallory") == []


@pytest.mark.parametrize("path", ["/notouch", "/login", "/whoami", "/count", "/logout"])
@pytest.mark.parametrize("linter", ["wsgiref", "werkzeug", "webtest"])
def test_item_59_servers_and_applications_that_are_strict(
    make_site: MakeSite, linter: str, path: str
) -> None:
    lint: t.Any = LintMiddleware if linter == "werkzeug" else wsgiref.validate.validator

    if linter == "webtest":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its webob imports cgi
            lint = importlib.import_module("webtest.lint").middleware

    site = make_site("wsgi")
    inner: t.Any = site.wsgi
    inner.app = lint(inner.app)
    site.wsgi = lint(inner)
    jar = site.jar()

    for _ in range(2):
        assert jar.get(path, SCRIPT_NAME="").status == 200


def test_item_59_the_headers_of_the_application_are_its_own(make_site: MakeSite) -> None:
    site = make_site("wsgi")
    headers = [("Vary", "Accept"), ("Content-Type", "text/plain")]
    before = list(headers)

    def application(environ: t.Any, start_response: t.Any) -> list[bytes]:
        environ["sessionkit.session"]["a"] = 1
        start_response("200 OK", headers)
        return [b""]

    t.cast(t.Any, site.wsgi).app = application
    assert site.jar().get("/").set_cookie is not None
    assert headers == before


@pytest.mark.parametrize("step", [3600, -3600])
def test_item_60_a_clock_that_jumps(
    make_site: MakeSite, any_store: Store, clock: FakeClock, step: int
) -> None:
    limit = 10_000
    site = make_site("wsgi", any_store, absolute_timeout=limit, idle_timeout=limit)
    jar = site.jar()
    jar.get("/login")
    started = clock()
    clock.advance(step)

    for path in ("/whoami", "/count", "/renew", "/whoami"):
        assert jar.get(path).status == 200

    assert jar.get("/whoami").body == "alice"
    clock.set(started + limit + abs(step) + 1)
    assert jar.get("/whoami").body == "nobody"
    clock.set(0)
    assert jar.get("/whoami").status == 200


def test_item_61_files_are_nobody_elses_and_no_link_is_followed(tmp_path: Path) -> None:
    before = os.umask(0)
    folder, planted = tmp_path / "sessions", tmp_path / "planted"

    try:
        store = open_store(f"file:///{folder}")
        jar = wsgi_site(SessionManager(store)).jar()
        jar.get("/login")
    finally:
        os.umask(before)

    found = [path for path in folder.rglob("*") if path.is_file()]
    assert found
    assert {oct(path.stat().st_mode & 0o777) for path in found} == {"0o600"}
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    assert {oct(path.stat().st_mode & 0o777) for path in folders} == {"0o700"}
    (key,) = t.cast(t.Any, store).keys()
    (path,) = (path for path in found if path.name == key)
    path.rename(planted)
    path.symlink_to(planted)
    assert jar.get("/whoami").body == "nobody"
    jar.get("/put", {"a": "1"})
    assert planted.is_file()


def test_item_61_nobody_else_reads_the_database(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite3"
    site = wsgi_site(SessionManager(open_store(f"sqlite:///{path}")))
    site.jar().get("/login")
    files = [*tmp_path.iterdir()]
    assert path in files
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600"] * len(files)


def test_item_62_another_user_inherits_nothing(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/login")
    jar.get("/put", {"secret": "of alice"})
    jar.get("/login", {"user": "bob"})
    assert jar.get("/show").body == "[('user', 'bob')]"
    assert any_site.manager.sessions_of("alice") == []


@pytest.mark.parametrize("kind", ["wsgi", "flask", "django"])
def test_item_62_form_tokens_change_with_the_user(make_site: MakeSite, kind: str) -> None:
    site = make_site(kind, form_tokens=("csrf_token",))
    jar = site.jar()
    jar.get("/put", {"csrf_token": "known to the attacker", "cart": "mine"})
    planted = jar.copy()
    jar.get("/login")
    shown = jar.get("/show").body
    assert "known to the attacker" not in shown
    assert "mine" in shown
    # The stub of the old id shows the old token, and nothing of the new session.
    assert "alice" not in planted.get("/show").body
    assert planted.get("/whoami").body == "nobody"
