"""The demo as a process of its own, since Django has only one configuration in a process."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

from tests.servers.web import WebServer

ROOT: t.Final = Path(__file__).parents[2]

# The demo lies beside the installed packages, which must be found before those of the checkout.
# Where tests run in the background, Ctrl-C is ignored unless somebody asks for it.
START: t.Final = f"""
import runpy, signal, sys
sys.path.append({str(ROOT)!r})
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("demo", run_name="__main__", alter_sys=True)
"""


class DemoServer(WebServer):
    """The demo on a store."""

    programs = (sys.executable,)

    def __init__(self, *, store: str = "memory:", port: int | None = None) -> None:
        super().__init__()
        self.store = store
        self.port = port or self.port

    def command(self) -> list[str]:
        return [self.program, "-c", START, "--port", str(self.port), "--store", self.store]
