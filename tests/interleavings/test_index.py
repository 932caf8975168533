"""Any request beside one that ends all sessions, where the index is written before the record.

As in a Redis Cluster, a listing then names a new session when there is no record yet.
"""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import owners

from .cases import SCENES
from .examination import examine
from .explorer import BadSchedule
from .operations import OPERATIONS

Explored = cabc.Callable[[int], None]


@pytest.mark.parametrize("name", OPERATIONS)
def test_two_in_flight(name: str, explored: Explored) -> None:
    for scene in SCENES:
        explored(examine(name, "revoke_all", scene=scene, index_first=True))


@pytest.mark.attack
@pytest.mark.parametrize("name", OPERATIONS)
def test_one_of_two_killed(name: str, explored: Explored) -> None:
    for scene in SCENES:
        explored(examine(name, "revoke_all", scene=scene, index_first=True, victims=range(2)))


@pytest.mark.attack
@pytest.mark.parametrize("name", ["renew", "write", "destroy", "revoke_all"])
def test_a_renewal_and_another_one_in_flight(name: str, explored: Explored) -> None:
    explored(examine("renew", name, "revoke_all", index_first=True))


def test_whoever_does_not_follow_what_was_replaced_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(owners, "is_stub", lambda record: False)

    with pytest.raises(BadSchedule):
        examine("renew", "revoke_all", index_first=True)
