"""The table of docs/stores.md: what becomes of each promise in each place.

python -m tests.promises.matrix     prints it, read off the tests that hold it to be true
"""

from __future__ import annotations

import collections.abc as cabc

from .django_database import InDjangosDatabase
from .promises import Promises
from .test_engines import CLASSES
from .test_sealed import TestSealed

COLUMNS = (
    "no update lost",
    "ended stays ended",
    "untouched is free",
    "cookie deleted only by the end",
    "worthless if stolen",
    "nested changes",
    "types kept",
    "list and end",
    "one login",
)


def lines() -> cabc.Iterator[str]:
    titles = [f"{number}. {title}" for number, title in enumerate(COLUMNS, 1)]
    yield f"| Store | {' | '.join(titles)} |"
    yield f"|{' --- |' * (len(titles) + 1)}"
    places: list[type[Promises]] = [*CLASSES, InDjangosDatabase, TestSealed]

    for place in places:
        cells = [place.instead.get(number, "yes") for number in range(1, len(titles) + 1)]
        yield f"| {place.place} | {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join(lines()))  # noqa: T201  # it is what it is for
