"""docs/seeds.md and the tests say the same, line by line; nothing of the five is forgotten."""

from __future__ import annotations

import ast
import collections.abc as cabc
import contextlib
import functools
import inspect
import re
import typing as t
from pathlib import Path

import pytest

from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import signals
from sessionkit import tokens
from sessionkit.status import Status
from sessionkit.stores.memory import MemoryStore

from .calls import CALLS
from .calls import PUBLIC
from .differences import DIFFERENCES
from .features import FEATURES

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "seeds.md"
NOT_HERE = "What has no counterpart"
BEYOND = "What none of the five has"


@functools.cache
def tables(section: str) -> list[dict[str, str]]:
    """The tables of a section: first cell, without its backticks, and second cell."""
    (text,) = re.findall(
        rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)",
        PAGE.read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    found = []

    for lines in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [re.fullmatch(r"\| (.*?) \| (.*) \|", line) for line in lines.splitlines()[2:]]
        assert None not in rows, lines
        found.append({row[1].replace("`", ""): row[2] for row in rows if row is not None})

    return found


def file_of(name: str) -> Path:
    return HERE.parent / name if "/" in name else HERE / f"test_{name}.py"


@functools.cache
def functions_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }


def missing(tests: cabc.Iterable[str]) -> list[str]:
    """Which of these tests there are not."""
    named = [(test, *test.split(":")) for test in tests]
    return [test for test, file, name in named if name not in functions_in(file_of(file))]


@pytest.mark.parametrize("section", CALLS)
def test_every_line_has_its_tests(section: str) -> None:
    calls, differences = tables(section)
    assert [*calls] == [*CALLS[section]]
    assert [*differences] == [*DIFFERENCES[section]]

    for rows in (CALLS[section], DIFFERENCES[section]):
        assert all(rows.values())
        assert missing(test for tests in rows.values() for test in tests) == []


@pytest.mark.parametrize("section", PUBLIC)
def test_nothing_that_they_document_is_forgotten(section: str) -> None:
    calls = " ".join(tables(section)[0])
    forgotten = [
        name
        for name in PUBLIC[section].split()
        if not re.search(rf"(?<![\w.]){re.escape(name)}(?![\w!])", calls)
    ]
    assert forgotten == []


def test_nothing_that_one_of_them_can_do_is_forgotten() -> None:
    (replaced,) = tables(NOT_HERE)
    by_tests = [tests for tests in FEATURES.values() if not isinstance(tests, str)]
    assert missing(test for tests in by_tests for test in tests) == []
    assert {row for row in FEATURES.values() if isinstance(row, str)} == {*replaced}


SESSION = SessionManager(MemoryStore()).open()
NAMES = {
    "session": SESSION,
    "manager": SESSION.manager,
    "store": MemoryStore(),
    "tokens": tokens,
    "signals": signals,
    "Status": Status,
    "SessionManager": SessionManager,
    "SessionPolicy": SessionPolicy,
    "CookieOptions": CookieOptions,
}


def expressions() -> cabc.Iterator[ast.AST]:
    """The code in the second cells, as far as it is Python."""
    for section in [*CALLS, NOT_HERE, BEYOND]:
        for cell in [cell for table in tables(section) for cell in table.values()]:
            for code in re.findall(r"`([^`]+)`", cell):
                with contextlib.suppress(SyntaxError):
                    yield from ast.walk(ast.parse(code))


def test_what_one_writes_here_exists() -> None:
    checked: set[tuple[str, ...]] = set()

    for node in expressions():
        match node:
            case ast.Attribute(ast.Name(thing), name) if thing in NAMES:
                assert hasattr(NAMES[thing], name), f"{thing}.{name}"
                checked.add((thing, name))
            case ast.Attribute(ast.Attribute(ast.Name("session"), "flash"), name):
                assert hasattr(SESSION.flash, name), f"session.flash.{name}"
                checked.add(("flash", name))
            case ast.Call(ast.Name(thing), _, keywords) if thing in NAMES:
                given = {keyword.arg: None for keyword in keywords if keyword.arg}
                inspect.signature(t.cast(t.Any, NAMES[thing])).bind_partial(**given)
                checked.add((thing, *given))

    assert len(checked) > 50
