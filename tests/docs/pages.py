"""The pages of the documentation, as text."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGES.md", *sorted((ROOT / "docs").glob("*.md"))]


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, but for those of its own heading."""
    text = (ROOT / page).read_text("utf-8").split(f"# {heading}\n", 1)[1]
    lines = iter(text.splitlines())
    table = []

    for line in lines:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip("|").split(" | ")])
        elif table:
            break

    return table[2:]
