"""Chromium without a window, steered through its own driver."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from selenium import webdriver
from selenium.common.exceptions import WebDriverException

from tests.servers.process import MissingServer
from tests.servers.process import Server

PATIENCE: t.Final = 15

OPTIONS: t.Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",  # which is tiny in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--ignore-certificate-errors",  # our own is signed by nobody
)


class Chromium(Server):
    """A browser with a profile of its own, for the whole run."""

    programs = ("chromium", "chromium-browser", "google-chrome")

    driver: webdriver.Chrome

    def __init__(self) -> None:
        path = shutil.which("chromedriver")

        if path is None:
            raise MissingServer("chromedriver")

        super().__init__()
        self._service = webdriver.ChromeService(path)

    def start(self) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = self.program

        for option in (*OPTIONS, f"--user-data-dir={self.folder}"):
            options.add_argument(option)

        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # it does not work for root

        self.driver = webdriver.Chrome(options, self._service)
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)

    def remove(self) -> None:
        if hasattr(self, "driver"):
            with contextlib.suppress(WebDriverException):
                self.driver.quit()

        super().remove()
