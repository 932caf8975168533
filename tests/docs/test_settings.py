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
from sessionkit.stores.file import FileStore
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.postgres import PostgresStore
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.stores.sqlite import SQLiteStore
from tests.docs.pages import ROOT
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


# The checkout comes last: the wheel is tested where it is installed.
DJANGO = f"""
import sys
sys.path.append({str(ROOT)!r})
from django.conf import settings
settings.configure()
from django_sessionkit import conf
from tests.docs.test_settings import in_use
print(in_use(conf.policy(), conf.cookie()))
"""


def test_what_django_changes() -> None:
    run = subprocess.run([sys.executable, "-c", DJANGO], check=True, capture_output=True, text=True)
    assert ast.literal_eval(run.stdout) == changed(2)


STORES: dict[str, type] = {
    "Memory": MemoryStore,
    "SQLite": SQLiteStore,
    "Files": FileStore,
    "Redis and Valkey": RedisStore,
    "memcached": MemcachedStore,
    "PostgreSQL": PostgresStore,
    "SQLAlchemy": SQLAlchemyStore,
}


@pytest.mark.parametrize("heading", STORES)
def test_every_parameter_of_a_store_is_documented(heading: str) -> None:
    page = (ROOT / "docs" / "stores.md").read_text("utf-8")
    section = page.split(f"\n### {heading}\n")[1].split("\n##")[0]
    section = re.sub(r"^```.*?^```$", "", section, flags=re.DOTALL | re.MULTILINE)
    # It is explained once for all; and nobody but tests gives a clock.
    told = {*re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", section))), "margin", "clock"}
    parameters = inspect.signature(STORES[heading]).parameters.values()

    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert parameter.name in told
        if type(parameter.default) is int and parameter.name in ("max_idle", "max_sessions"):
            assert f"{parameter.default:,}" in section
