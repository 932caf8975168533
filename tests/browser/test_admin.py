"""Sessions in Django's admin, in a browser: found, looked at and ended by hand."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest
from selenium.webdriver.support.select import Select

from tests.browser.admin_project import PASSWORD
from tests.browser.admin_project import AdminServer
from tests.demo.visitor import Visitor

if t.TYPE_CHECKING:
    from tests.browser.tab import Tab

pytestmark = pytest.mark.attack

LIST: t.Final = "/admin/sessionkit_store/session/"
ALICE: t.Final = "2"
FIREFOX: t.Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ATTACK: t.Final = "<img src=x onerror='window.isHacked=1'><script>isHacked=1</script>"


@pytest.fixture(scope="module")
def server(start_server: cabc.Callable[..., AdminServer]) -> AdminServer:
    return start_server(AdminServer)


@pytest.fixture
def tab(open_tab: cabc.Callable[[str], Tab], server: AdminServer) -> Tab:
    """The list of sessions, before somebody who has just logged in."""
    tab = open_tab(server.url)
    tab.open(f"/admin/login/?next={LIST}")
    tab.find("#id_username").send_keys("boss")
    tab.type("id_password", PASSWORD)
    return tab


def visit(server: AdminServer, name: str, user_agent: str = FIREFOX) -> Visitor:
    visitor = Visitor(server.url, user_agent)
    visitor.get(f"/visit?name={name}")
    return visitor


def alive(visitors: list[Visitor]) -> int:
    return [visitor.get("/whose").source for visitor in visitors].count(f"{ALICE} a marked value")


def end_selected(tab: Tab) -> str:
    Select(tab.find("select[name=action]")).select_by_visible_text("End selected sessions")
    tab.press("button[name=index]")
    return tab.text(".messagelist")


def test_two_of_a_users_sessions_are_ended(tab: Tab, server: AdminServer) -> None:
    visitors = [visit(server, ALICE) for _ in range(3)]
    visit(server, "bob")
    tab.type("searchbar", "alice")
    assert tab.texts(".field-user") == ["alice"] * 3
    assert tab.texts(".field-device") == ["Firefox on Linux"] * 3

    for box in tab.driver.find_elements("css selector", "input.action-select")[:2]:
        box.click()

    assert end_selected(tab) == "2 sessions were ended."
    assert tab.texts(".field-user") == ["alice"]
    assert alive(visitors) == 1


def test_all_others_are_ended_by_one_click(tab: Tab, server: AdminServer) -> None:
    visitors = [visit(server, ALICE) for _ in range(2)]
    tab.press("a[href='?state=live']")
    tab.find("#action-toggle").click()

    assert "Your own session goes on." in end_selected(tab)
    assert tab.texts(".field-state") == ["Live This session"]
    assert alive(visitors) == 0
    tab.open("/admin/")
    assert "boss" in tab.text("#user-tools").lower()
    assert "sessions of alice" in tab.text("#recent-actions-module")


def test_its_page_ends_it_and_runs_no_user_agent(tab: Tab, server: AdminServer) -> None:
    hostile = visit(server, ALICE, ATTACK)
    visit(server, ALICE, "x" * 10_000)
    tab.type("searchbar", "alice")
    assert {*tab.texts(".field-device")} >= {ATTACK[:39] + "…", "x" * 39 + "…"}

    for link in tab.driver.find_elements("css selector", ".field-device a"):
        if link.text.startswith(ATTACK[:39]):
            tab.open(str(link.get_attribute("href")).removeprefix(server.url))
            break

    assert ATTACK in tab.text(".field-user_agent .readonly")
    assert "secret plan" in tab.text(".field-sizes")
    tab.press("input[name=end]")
    assert tab.text(".messagelist") == "1 session was ended."
    assert alive([hostile]) == 0
    assert tab.run("return window.isHacked === undefined")
