"""What hurried users and several tabs do."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from tests.browser.site import Site
    from tests.browser.tab import Tab

pytestmark = pytest.mark.attack

FRAMEWORKS: t.Final = ("wsgi", "flask", "django")
ROUNDS: t.Final = 2
PLACES: t.Final = (("wsgi", "wsgi"), ("flask", "flask"), ("django", "django"), ("flask", "django"))

#: Milliseconds in which both tabs can be told what to do.
HEAD_START: t.Final = 150

# Fills in the form and sends it at a given moment, so that tabs do so at the same time.
SEND_AT: t.Final = """
const [name, moment] = arguments;
window.isOld = true;
document.getElementById("name").value = name;
setTimeout(() => document.querySelector("form[action=login]").requestSubmit(), moment - Date.now());
"""


def test_after_a_logout_the_back_button_leads_nowhere(tab: Tab) -> None:
    tab.type("name", "alice")
    tab.type("item", "secret")
    tab.press("nav a[href='/flask/']")
    tab.press("form[action=logout] button")

    tab.back()
    tab.back()
    assert tab.owner in ("alice", None)  # what history shows does no harm
    tab.type("item", "milk")

    assert tab.owner is None
    assert tab.texts("#cart li") == ["milk"]


def test_after_a_logout_a_page_that_is_still_open_is_anonymous(tab: Tab) -> None:
    tab.type("name", "alice")
    old = tab.another()
    old.open("/django/")
    old.run("document.querySelector('.quiet').disabled = false")
    assert old.owner == "alice"

    tab.press("form[action=logout] button")
    old.press(".quiet")

    assert old.owner is None
    assert not any("elsewhere" in text for text in old.texts(".flash"))


@pytest.mark.parametrize("at", FRAMEWORKS)
def test_a_double_click_on_the_login_button_logs_in(tab: Tab, at: str) -> None:
    for _ in range(ROUNDS):
        tab.open(f"/{at}/")
        tab.find("#name").send_keys("alice")
        tab.press_twice("form[action=login] button")
        tab.open(f"/{at}/")
        assert tab.owner == "alice"
        tab.press("form[action=logout] button")


@pytest.mark.parametrize("places", PLACES, ids="-".join)
def test_two_tabs_that_log_in_at_once_end_logged_in(tab: Tab, places: tuple[str, str]) -> None:
    tabs, names = (tab, tab.another()), ("alice", "bob")
    for each, place in zip(tabs, places, strict=True):
        each.open(f"/{place}/")

    moment = tab.run("return Date.now()") + HEAD_START
    for each, name in zip(tabs, names, strict=True):
        each.run(SEND_AT, name, moment)
    for each in tabs:
        each.wait_for_page()

    # The page after a login is anonymous where the other login has replaced the id meanwhile.
    for each, place in zip(tabs, places, strict=True):
        each.open(f"/{place}/")
    assert tabs[0].owner == tabs[1].owner
    assert tabs[0].owner in names


def test_a_logout_while_another_tab_waits(secure_tab: Tab, site: Site) -> None:
    secure_tab.press("button[formaction='/login']")
    other = secure_tab.another()
    other.open("/")
    other.run("window.slow = fetch('/slow', {method: 'POST'}).then((answer) => answer.text())")
    assert site.is_reading.wait(10)

    secure_tab.press("button[formaction='/logout']")
    site.may_write.set()

    assert other.run("return window.slow") == "done for alice"
    assert secure_tab.cookie("__Host-sid") is None
    other.open("/")
    assert other.owner == "None"
    assert site.manager.sessions_of("alice") == []


def test_a_login_while_another_tab_waits(secure_tab: Tab, site: Site) -> None:
    secure_tab.press("button[formaction='/login']")
    other = secure_tab.another()
    other.open("/")
    other.run("window.slow = fetch('/slow', {method: 'POST'}).then((answer) => answer.text())")
    assert site.is_reading.wait(10)

    secure_tab.press("button[formaction='/login']")
    cookie = secure_tab.cookie("__Host-sid")
    site.may_write.set()

    assert other.run("return window.slow") == "done for alice"
    assert secure_tab.cookie("__Host-sid") == cookie
    other.open("/")
    assert other.owner == "alice"
