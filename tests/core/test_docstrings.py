"""Every example in the docstrings of the core runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import sessionkit

MODULES = [module.name for module in pkgutil.walk_packages(sessionkit.__path__, "sessionkit.")]

# What a reader of the guide meets first shows how it is used.
SHOWN = (
    "Session",
    "Session.mutate",
    "SessionManager",
    "SessionMiddleware",
    "SessionPolicy",
    "CookieOptions",
    "CustomType",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", SHOWN)
def test_what_users_meet_first_has_an_example(name: str) -> None:
    shown: object = sessionkit

    for part in name.split("."):
        shown = getattr(shown, part)

    assert ">>>" in (inspect.getdoc(shown) or "")
