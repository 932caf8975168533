"""The devices page in a browser: as its user sees it, on a phone, and by keyboard."""

from __future__ import annotations

import typing as t

import pytest
from selenium.webdriver.common.keys import Keys

from tests.demo.server import DemoServer
from tests.demo.visitor import Visitor

if t.TYPE_CHECKING:
    from tests.browser.tab import Tab

pytestmark = [pytest.mark.attack, pytest.mark.parametrize("at", ["flask", "django"])]

ATTACK: t.Final = "<img src=x onerror='window.isHacked=1'><script>isHacked=1</script>"


def visit(demo: DemoServer, name: str, user_agent: str = "other") -> Visitor:
    """Log in as *name* elsewhere."""
    visitor = Visitor(demo.url, user_agent=user_agent)
    visitor.post("/wsgi/login", name=name)
    return visitor


def open_page(tab: Tab, at: str, name: str) -> None:
    tab.open(f"/{at}/")
    tab.type("name", name)
    tab.press("#devices")


def test_one_and_then_all_others_are_ended(tab: Tab, demo: DemoServer, at: str) -> None:
    name = f"one and all of {at}"
    others = [visit(demo, name) for _ in range(3)]
    open_page(tab, at, name)
    assert sorted(tab.texts("h2")) == ["Chrome on Linux This device", *["other"] * 3]

    tab.press("button[name=end]")
    assert tab.text("[role=status]") == "The device was logged out."
    assert len(tab.texts("h2")) == 3

    tab.press("button[name=others]")
    assert tab.text("[role=status]") == "All other devices were logged out."
    assert tab.texts("h2") == ["Chrome on Linux This device"]
    assert tab.texts("button") == []
    assert [other.get("/wsgi/").owner for other in others] == [None] * 3


def test_a_page_that_is_still_open_ends_nobody_anew(tab: Tab, demo: DemoServer, at: str) -> None:
    name = f"open of {at}"
    visit(demo, name)
    open_page(tab, at, name)
    old = tab.another()
    old.open(f"/{at}/account/devices/")

    tab.press("button[name=end]")
    old.press("button[name=end]")

    assert old.text("[role=status]") == "That device was logged out already."


def test_by_keyboard_with_names_for_a_screen_reader(tab: Tab, demo: DemoServer, at: str) -> None:
    name = f"keyboard of {at}"
    visit(demo, name)
    open_page(tab, at, name)
    assert tab.find("button[name=end]").accessible_name == "Log out other"

    tab.find("body").send_keys(Keys.TAB)
    tab.run("window.isOld = true")
    tab.driver.switch_to.active_element.send_keys(Keys.ENTER)
    tab.wait_for_page()

    assert tab.driver.switch_to.active_element.text == "The device was logged out."
    assert tab.run("return document.documentElement.lang").startswith("en")


def test_on_a_phone_nothing_is_cut_off_and_no_user_agent_is_run(
    tab: Tab, demo: DemoServer, at: str
) -> None:
    name = f"phone of {at}"
    visit(demo, name, ATTACK)
    visit(demo, name, "x" * 10_000)
    phone = {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True}
    tab.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)

    try:
        open_page(tab, at, name)
        assert tab.run("return [innerWidth, document.documentElement.scrollWidth]") == [320, 320]
        heights = tab.run(
            "return [...document.querySelectorAll('button')].map(b => b.offsetHeight)"
        )
        assert min(heights) >= 44  # big enough for a thumb, so the stylesheet is there
    finally:
        tab.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    assert {ATTACK, "x" * 256} < {*tab.texts("h2")}
    assert tab.run("return window.isHacked === undefined && !document.querySelector('img,script')")
