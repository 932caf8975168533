"""Every Python example in the documentation runs, page by page, from top to bottom."""

from __future__ import annotations

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [
    ROOT / "docs" / name for name in ("guide.md", "stores.md", "flask.md", "sealed.md", "seeds.md")
]


def examples(page: pathlib.Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page: pathlib.Path) -> None:
    namespace: dict[str, object] = {"__name__": "example"}

    for number, example in enumerate(examples(page), 1):
        code = compile(example, f"{page.name}, example {number}", "exec", dont_inherit=True)
        exec(code, namespace)
