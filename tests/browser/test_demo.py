"""The demo in a browser: everything that its page offers."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from tests.browser.tab import Tab

pytestmark = pytest.mark.attack

FRAMEWORKS: t.Final = ("wsgi", "flask", "django")


@pytest.mark.parametrize("at", FRAMEWORKS)
def test_login_cart_message_and_logout(tab: Tab, at: str) -> None:
    tab.open(f"/{at}/")

    tab.type("name", "alice")
    assert tab.owner == "alice"
    assert tab.texts(".flash") == ["Welcome, alice!"]

    tab.type("item", "milk")
    tab.type("item", "tea")
    assert tab.texts("#cart li") == ["milk", "tea"]

    tab.type("message", "Hello!")
    assert tab.texts(".flash") == ["Hello!"]
    tab.open(f"/{at}/")
    assert tab.texts(".flash") == []

    tab.press("form[action=logout] button")
    assert tab.owner is None
    assert tab.texts("#cart li") == []


def test_one_login_on_all_pages(tab: Tab) -> None:
    tab.type("name", "alice")

    for name in ("Flask", "Django", "Raw WSGI"):
        tab.press(f"nav a[href*={name.rsplit(maxsplit=1)[-1].lower()}]")
        assert (tab.text("nav a[aria-current]"), tab.owner) == (name, "alice")


@pytest.mark.parametrize("at", FRAMEWORKS)
def test_the_parallel_button_loses_nothing(tab: Tab, at: str) -> None:
    tab.open(f"/{at}/")
    assert tab.text("#outcome") == "0 of 20 keys kept"

    def fire() -> str:
        tab.find("#parallel").click()
        tab.until(lambda: tab.find("#parallel").is_enabled())
        assert tab.text("#outcome") == "20 of 20 keys kept"
        assert len(tab.texts(".keys .kept")) == 20
        return tab.text("#trace")

    # The trace is that of the request that ended last, which may have been alone at its end.
    traces = (fire() for _ in range(10))
    assert any(
        "merged with what another request has written meanwhile" in trace for trace in traces
    )


def test_all_but_one_button_works_without_javascript(tab: Tab) -> None:
    tab = tab.another()
    tab.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    tab.open("/flask/")

    tab.find("#name").send_keys("alice\n")
    tab.until(lambda: tab.owner == "alice")
    tab.find("#item").send_keys("milk\n")
    tab.until(lambda: tab.texts("#cart li") == ["milk"])
    tab.find("#message").send_keys("Hello!\n")
    tab.until(lambda: tab.texts(".flash") == ["Hello!"])
    tab.find("form[action=logout] button").click()
    tab.until(lambda: tab.owner is None)


def test_what_is_typed_is_never_run(tab: Tab) -> None:
    attack = "<img src=x onerror='window.isHacked=1'><script>isHacked=1</script>"[:60]

    for field in ("name", "item", "message"):
        tab.run("document.getElementById(arguments[0]).removeAttribute('maxlength')", field)
        tab.type(field, attack)

    assert tab.texts(".flash") == [attack]
    assert tab.run("return window.isHacked === undefined && !document.querySelector('img')")
