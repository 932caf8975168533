"""The session's cookie as the browser sees it."""

from __future__ import annotations

import time
import typing as t

import pytest

if t.TYPE_CHECKING:
    from tests.browser.tab import Tab

pytestmark = pytest.mark.attack

HOST_COOKIE: t.Final = "__Host-sid"
DAY: t.Final = 24 * 60 * 60


@pytest.mark.parametrize("at", ["wsgi", "flask", "django"])
def test_its_attributes(tab: Tab, at: str) -> None:
    tab.driver.delete_all_cookies()
    tab.open(f"/{at}/")

    cookie = tab.cookie() or {}

    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["domain"] == "127.0.0.1"
    assert cookie["secure"] is False
    assert cookie["expiry"] - time.time() == pytest.approx(90 * DAY, abs=60)
    assert tab.run("return document.cookie") == ""


@pytest.mark.parametrize("at", ["wsgi", "flask", "django"])
def test_its_id_is_on_no_page_and_in_no_url(tab: Tab, at: str) -> None:
    tab.open(f"/{at}/")
    tab.type("name", "alice")
    seen = tab.driver.page_source + tab.driver.current_url
    tab.press(f"nav a[href='/{at}/']")
    seen += tab.driver.page_source + tab.driver.current_url

    session_id = (tab.cookie() or {})["value"].partition(".")[0]
    assert len(session_id) >= 40
    assert session_id not in seen


def test_a_login_changes_it_and_a_logout_replaces_it(tab: Tab) -> None:
    values = [(tab.cookie() or {})["value"]]
    tab.type("name", "alice")
    values.append((tab.cookie() or {})["value"])
    tab.press("form[action=logout] button")
    values.append((tab.cookie() or {})["value"])

    assert len(set(values)) == 3


def test_on_https_it_is_secure(secure_tab: Tab) -> None:
    assert secure_tab.cookie(HOST_COOKIE) is None

    secure_tab.press("button[formaction='/login']")

    cookie = secure_tab.cookie(HOST_COOKIE) or {}
    assert (cookie["secure"], cookie["httpOnly"], cookie["path"]) == (True, True, "/")


def test_a_logout_deletes_a_host_cookie(secure_tab: Tab) -> None:
    secure_tab.press("button[formaction='/login']")
    assert secure_tab.owner == "alice"

    secure_tab.press("button[formaction='/logout']")

    assert secure_tab.cookie(HOST_COOKIE) is None
    assert secure_tab.owner == "None"
