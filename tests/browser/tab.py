"""A tab as its user sees it."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.chromium import PATIENCE

if t.TYPE_CHECKING:
    from selenium.webdriver import Chrome

SESSION: t.Final = "sessionkit-demo"


class Tab:
    """One tab of the browser; whatever is asked of it brings it to the front.

    :param site: what the paths begin with.
    """

    #: The tab in front. Asking the browser each time would double the time of the tests.
    _front: t.ClassVar[str]

    def __init__(self, driver: Chrome, site: str) -> None:
        self._driver = driver
        self._site = site
        self._handle = Tab._front = driver.current_window_handle

    def another(self) -> Tab:
        """Return a new tab of the same browser."""
        self.driver.switch_to.new_window("tab")
        return Tab(self._driver, self._site)

    @property
    def driver(self) -> Chrome:
        if Tab._front != self._handle:
            self._driver.switch_to.window(self._handle)
            Tab._front = self._handle

        return self._driver

    def open(self, path: str) -> None:
        self.driver.get(self._site + path)

    def back(self) -> None:
        self.driver.back()

    def type(self, field: str, text: str) -> None:
        """Fill in a field and press Enter."""
        element = self.find(f"#{field}")
        element.send_keys(text)
        self._leave(element.submit)

    def press(self, selector: str) -> None:
        """Press a button that leads to a new page."""
        self._leave(self.find(selector).click)

    def press_twice(self, selector: str) -> None:
        button = self.find(selector)
        self._leave(ActionChains(self.driver).double_click(button).perform)

    def run(self, script: str, *arguments: object) -> t.Any:
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return [element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def text(self, selector: str) -> str:
        (text,) = self.texts(selector)
        return text

    def wait_for_page(self) -> None:
        """Wait for the page after one that was marked as old."""
        self.until(lambda: self.run("return !window.isOld && document.readyState == 'complete'"))

    def until(self, condition: cabc.Callable[[], t.Any]) -> None:
        """Wait for what the page is about to show."""
        # Of a page that is still being read the text is not there yet: no single one is found.
        ignored = [StaleElementReferenceException, ValueError]
        patience = WebDriverWait(self.driver, PATIENCE, 0.02, ignored_exceptions=ignored)
        patience.until(lambda driver: condition())

    def cookie(self, name: str = SESSION) -> dict[str, t.Any] | None:
        """Return what the browser knows of a cookie."""
        cookie: dict[str, t.Any] | None = self.driver.get_cookie(name)
        return cookie

    @property
    def owner(self) -> str | None:
        said = self.text("#identity").removeprefix("Logged in as ")
        return None if said == "Nobody is logged in." else said

    def _leave(self, action: cabc.Callable[[], object]) -> None:
        """Do what leads to a new page; wait for that page."""
        self.run("window.isOld = true")
        action()
        self.wait_for_page()
