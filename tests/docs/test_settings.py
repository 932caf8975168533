"""The tables of defaults in the documentation say what the code does."""

from __future__ import annotations

import dataclasses
import pathlib
import re

import pytest

from sessionkit import CookieOptions
from sessionkit import SessionPolicy

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "settings.md"


def documented(section: str) -> dict[str, str]:
    text = PAGE.read_text(encoding="utf-8").split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `(\w+)` \| `([^|]+)` \|", text, re.MULTILINE))


@pytest.mark.parametrize("options", [SessionPolicy, CookieOptions])
def test_every_default_is_documented(options: type[SessionPolicy | CookieOptions]) -> None:
    built = options()
    actual = {field.name: getattr(built, field.name) for field in dataclasses.fields(options)}
    assert documented(options.__name__) == {
        name: repr(value).replace("'", '"') for name, value in actual.items()
    }
