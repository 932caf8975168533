"""The tables of settings in the documentation say what the code does."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
import typing as t

import flask
import pytest

from django_sessionkit.conf import SECTIONS
from flask_sessionkit import SessionKit
from flask_sessionkit import settings as flask_settings
from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit.base_manager import BaseManager
from tests.docs.pages import rows

PAGE = "docs/settings.md"


def names(page: str, heading: str) -> list[str]:
    return [name for row in rows(page, heading) for name in re.findall(r"`(\w+)`", row[0])]


@pytest.mark.parametrize("options", [SessionPolicy, CookieOptions])
def test_every_default_is_documented(options: type[SessionPolicy | CookieOptions]) -> None:
    built = options()
    actual = {field.name: getattr(built, field.name) for field in dataclasses.fields(options)}
    assert {row[0].strip("`"): row[1].strip("`") for row in rows(PAGE, options.__name__)} == {
        name: repr(value).replace("'", '"') for name, value in actual.items()
    }


def test_every_parameter_of_a_manager_is_documented() -> None:
    assert names(PAGE, "SessionManager") == [*inspect.signature(SessionManager).parameters]


def test_every_setting_of_flask_and_django_is_documented() -> None:
    known = {*flask_settings._NAMES, *flask_settings._ALWAYS}
    assert {*names("docs/flask.md", "Settings")} == {f"SESSIONKIT_{name}" for name in known}
    assert {*names("docs/django.md", "SESSIONKIT")} == {*SECTIONS}


def told(cell: str) -> object:
    """Return the value in a cell of the table of what frameworks change."""
    if days := re.search(r"(\d+) days", cell):
        return int(days[1]) * 86400.0

    texts = re.findall(r"`([^`]+)`", cell)
    literals = [text for text in texts if re.fullmatch(r"True|False|None|\(.*\)", text)]
    return ast.literal_eval(literals[0]) if literals else texts[-1]


def changed(column: int) -> dict[str, object]:
    cells = {row[0].strip("`"): row for row in rows(PAGE, "What Flask and Django change")}
    return {
        name: told(row[1] if row[column] == "the same" else row[column])
        for name, row in cells.items()
    }


def in_use(policy: SessionPolicy, cookie: CookieOptions) -> dict[str, t.Any]:
    return {
        "cookie name": cookie.name,
        **{name: getattr(policy, name) for name in changed(1) if hasattr(policy, name)},
    }


def test_what_flask_changes() -> None:
    app = flask.Flask("shop")
    app.config["SESSIONKIT_STORE"] = "memory:"
    manager: BaseManager = SessionKit(app).manager_of(app)
    assert in_use(manager.policy, manager.cookie) == changed(1)


DJANGO = """
from django.conf import settings
settings.configure()
from django_sessionkit import conf
from tests.docs.test_settings import in_use
print(in_use(conf.policy(), conf.cookie()))
"""


def test_what_django_changes() -> None:
    run = subprocess.run([sys.executable, "-c", DJANGO], check=True, capture_output=True, text=True)
    assert ast.literal_eval(run.stdout) == changed(2)
