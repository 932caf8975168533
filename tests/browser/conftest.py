"""A browser, and what it looks at. Nothing of it is imported where no browser test runs."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from tests.demo.server import DemoServer

if t.TYPE_CHECKING:
    from tests.browser.chromium import Chromium
    from tests.browser.site import Site
    from tests.browser.tab import Tab


@pytest.fixture(scope="session")
def chromium(start_server: cabc.Callable[..., Chromium]) -> Chromium:
    from tests.browser.chromium import Chromium

    return start_server(Chromium)


@pytest.fixture
def open_tab(chromium: Chromium) -> cabc.Generator[cabc.Callable[[str], Tab], None, None]:
    """A function that shows a site, in a browser without cookies."""
    from tests.browser.tab import Tab

    driver = chromium.driver
    first = driver.current_window_handle
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    yield lambda site: Tab(driver, site)

    for handle in {*driver.window_handles} - {first}:
        driver.switch_to.window(handle)
        driver.close()

    driver.switch_to.window(first)


@pytest.fixture(scope="session")
def demo(start_server: cabc.Callable[..., DemoServer]) -> DemoServer:
    return start_server(DemoServer)


@pytest.fixture
def tab(open_tab: cabc.Callable[[str], Tab], demo: DemoServer) -> Tab:
    """A tab on the demo's first page."""
    tab = open_tab(demo.url)
    tab.open("/wsgi/")
    return tab


@pytest.fixture
def site() -> cabc.Generator[Site, None, None]:
    """A site on https, with a ``__Host-`` cookie and an answer that takes its time."""
    from tests.browser.site import Site

    with Site() as site:
        yield site


@pytest.fixture
def secure_tab(open_tab: cabc.Callable[[str], Tab], site: Site) -> Tab:
    """A tab on that site."""
    tab = open_tab(site.url)
    tab.open("/")
    return tab
