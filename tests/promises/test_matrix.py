"""The documentation promises what the tests of each store hold to be true, and nothing else."""

from __future__ import annotations

from pathlib import Path

from . import matrix
from .promises import StorePromises

STORES = Path(__file__).parents[2] / "docs" / "stores.md"


def test_the_table_of_the_documentation_is_that_of_the_tests() -> None:
    table = "\n".join(matrix.lines())
    assert table in STORES.read_text("utf-8"), "python -m tests.promises.matrix prints the table"


def test_each_promise_is_tested() -> None:
    numbers = {name.split("_")[1] for name in dir(StorePromises) if name.startswith("test_")}
    assert numbers == {str(number) for number in range(1, len(matrix.COLUMNS) + 1)}
