"""Any three requests of one session, in every order of their store calls."""

from __future__ import annotations

import collections.abc as cabc
import itertools
import os

import pytest

from .cases import SCENES
from .cases import Scene
from .examination import examine
from .operations import MAIN
from .operations import OPERATIONS

Explored = cabc.Callable[[int], None]

pytestmark = pytest.mark.attack

#: All operations and scenes take half an hour, so they are asked for.
EXHAUSTIVE = bool(os.environ.get("SESSIONKIT_EXHAUSTIVE"))
KILLED_IN: tuple[Scene, ...] = SCENES if EXHAUSTIVE else ("alice",)
TRIPLES = [*itertools.combinations_with_replacement(OPERATIONS if EXHAUSTIVE else MAIN, 3)]


# One triple after the other: its requests do the same in both tests, and need not be run again.
three = pytest.mark.parametrize("names", TRIPLES, ids="-".join, scope="module")


@three
def test_three_sent_and_answered_at_any_time(names: tuple[str, ...], explored: Explored) -> None:
    for scene, moving in itertools.product(SCENES, (True, False)):
        explored(examine(*names, scene=scene, moving=moving, at_large=True))


@three
def test_one_of_three_killed(names: tuple[str, ...], explored: Explored) -> None:
    for scene, moving in itertools.product(KILLED_IN, (True, False)):
        explored(examine(*names, scene=scene, moving=moving, victims=range(3)))
