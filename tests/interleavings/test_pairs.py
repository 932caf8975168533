"""Any two requests of one session, in every order of their store calls."""

from __future__ import annotations

import collections.abc as cabc
import itertools

import pytest

from .cases import SCENES
from .examination import examine
from .operations import OPERATIONS

Explored = cabc.Callable[[int], None]

pytestmark = pytest.mark.attack

PAIRS = [*itertools.combinations_with_replacement(OPERATIONS, 2)]


# One pair after the other: its requests do the same in both tests, and need not be run again.
two = pytest.mark.parametrize("names", PAIRS, ids="-".join, scope="module")


@two
def test_two_sent_and_answered_at_any_time(names: tuple[str, str], explored: Explored) -> None:
    for scene, moving in itertools.product(SCENES, (True, False)):
        explored(examine(*names, scene=scene, moving=moving, at_large=True))


@two
def test_one_of_two_killed(names: tuple[str, str], explored: Explored) -> None:
    for scene, moving in itertools.product(SCENES, (True, False)):
        explored(examine(*names, scene=scene, moving=moving, victims=range(2)))
