"""What the documentation names is there: pages, headings, files, targets of make, extras."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from django_sessionkit.extras import SessionExtras
from tests.docs.pages import PAGES
from tests.docs.pages import ROOT

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """Return the names of the headings, as code hosts make them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue

        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@each_page
def test_files_that_are_named_exist(page: Path) -> None:
    folders = "tests|docs|benchmarks|scripts|integrations|requirements"
    named = rf"(?<![\w/.-])(?:(?:{folders})/[\w./-]*\w|sessionkit/\w+\.py)"
    assert [n for n in re.findall(named, page.read_text("utf-8")) if not (ROOT / n).exists()] == []


@each_page
def test_targets_of_make_exist(page: Path) -> None:
    targets = re.findall(r"`make ([a-z-]+)", page.read_text("utf-8"))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert {*targets} <= {*re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}


@each_page
def test_extras_exist(page: Path) -> None:
    named = re.findall(r"wsgi-sessionkit\[([\w,]+)\]", page.read_text("utf-8"))
    section = (ROOT / "pyproject.toml").read_text("utf-8").split("[project.optional-dependencies]")
    extras = {*re.findall(r"^(\w+) = \[", section[1].split("\n\n")[0], re.MULTILINE)}
    assert {extra for names in named for extra in names.split(",")} <= extras


def test_the_layers_that_are_shown_are_those_of_the_code() -> None:
    from tests.test_architecture import LAYERS

    page = (ROOT / "docs" / "how-it-works.md").read_text("utf-8")
    block = re.split(r"^```$", page, flags=re.MULTILINE)[1]
    level = {module: number for number, layer in enumerate(LAYERS) for module in layer}
    lines = [line for line in block.splitlines() if line and not line.startswith(" ")]
    shown = [re.split(r" {2,}", line)[0].split(", ") for line in lines]
    *core, others = shown
    assert others == ["flask_sessionkit", "django_sessionkit"]
    highest = [max(level[name] for name in names) for names in core]
    assert highest == sorted(highest)


@pytest.mark.parametrize(
    ("name", "otherwise"),
    [
        # Django has get_expire_at_browser_close() and set_expiry(0).
        ("guide.md", {"permanent"}),
        # The page says what they are.
        ("seeds.md", {"manager", "copy"}),
        ("observing.md", set()),
    ],
)
def test_what_a_page_calls_is_there_in_django_too(name: str, otherwise: set[str]) -> None:
    page = (ROOT / "docs" / name).read_text("utf-8")
    called = {*re.findall(r"(?<![\w.@/])session\.([a-z]\w+)", page)}
    assert called
    assert {method for method in called if not hasattr(SessionExtras, method)} == otherwise
