"""The explorer goes through everything, and the promises notice what they are for."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import committer
from sessionkit.committer import Committer
from sessionkit.cookie import Delete
from sessionkit.cookie import Instruction
from sessionkit.cookie import Set
from sessionkit.draft import Draft
from sessionkit.draft import Intent
from sessionkit.gateway import Gateway
from sessionkit.manager import SessionManager
from sessionkit.session import Session
from sessionkit.store import Record
from sessionkit.values import Values

from .examination import examine
from .examination import prepare
from .explorer import BadSchedule


class _Forgetful(dict[t.Any, int]):
    """Remembers nothing, so that every schedule is gone through on its own."""

    def get(self, key: t.Any, default: t.Any = None) -> t.Any:
        return None


@pytest.mark.parametrize(
    ("names", "moving", "schedules"),
    [
        (["fail"], True, 1),  # one call: get
        (["fail", "fail"], True, 2),
        (["fail", "fail", "fail"], True, 6),
        (["fail", "refresh"], True, 3),  # get beside get, swap
        (["refresh", "refresh"], True, 6),  # whoever is late gives up: no more calls
        (["write", "refresh"], True, 6),  # the writer tries again when it is alone
        (["destroy", "renew"], False, 10),  # design-review.md R1 counted as many
    ],
)
def test_schedules_are_as_many_as_by_hand(names: list[str], moving: bool, schedules: int) -> None:
    assert examine(*names, moving=moving) == schedules


@pytest.mark.parametrize("names", [("mutate", "renew"), ("bind", "bind"), ("write", "revoke_all")])
def test_counting_states_and_counting_schedules_agree(names: tuple[str, str]) -> None:
    examination = prepare(*names, moving=False, at_large=True)
    examination.explorer.schedules = _Forgetful()
    assert examination.explore() == examine(*names, moving=False, at_large=True)


def _delete_unknown(self: Committer, session: Session, draft: Draft) -> Instruction:
    return Delete()


def _move_without_withdrawing(
    self: Gateway, old_key: str, expected: Record, stub: Record, new_key: str, record: Record
) -> bool:
    return self.swap(new_key, None, record) and self.swap(old_key, expected, stub)


def _keep_ours(self: Values, theirs: dict[str, bytes], **_: t.Any) -> set[str]:
    self.settle()
    self.base = theirs
    return set()


def _renewing_with(intent: Intent) -> t.Any:
    renew = Committer._renew

    def renew_with_intent(self: Committer, session: Session, draft: Draft) -> Instruction:
        draft.intent = intent
        return renew(self, session, draft)

    return renew_with_intent


def _revoke_once(self: SessionManager, owner: str, wanted: t.Any) -> int:
    listed = [(key, self._gateway.get(key)) for key in self._keys_of(owner)]
    return sum(self._gateway.delete(key, record) for key, record in listed if record)


def _set_again(self: Committer, draft: Draft, session_id: str, now: float) -> Set:
    return self._set(draft, session_id, now)


def _nothing(*_: t.Any) -> None:
    return None


_BROKEN: list[tuple[type | t.Any, str, t.Any, tuple[str, str]]] = [
    (committer, "_successor", _nothing, ("renew", "destroy")),
    (Gateway, "move", _move_without_withdrawing, ("write", "renew")),
    (Values, "rebase", _keep_ours, ("write", "write")),
    (Values, "settle", _nothing, ("nested", "refresh")),
    (Values, "_replay", lambda self, key, mutations, theirs: self.current[key], ("mutate",) * 2),
    (Committer, "_renew", _renewing_with(Intent.RENEW), ("renew", "bind")),
    (Committer, "_renew", _renewing_with(Intent.BIND), ("renew", "renew")),
    (Committer, "_drop", _nothing, ("write", "renew")),
    (Committer, "_create", _delete_unknown, ("write", "destroy")),
    (Committer, "_create_beside", Committer._create, ("renew", "bind")),
    (Committer, "_cookie_again", _set_again, ("write", "renew")),
    (SessionManager, "_revoke", _revoke_once, ("write", "revoke_all")),
]


@pytest.mark.parametrize(
    ("owner", "name", "broken", "names"), _BROKEN, ids=[f"{row[1]}-{row[3][1]}" for row in _BROKEN]
)
def test_a_broken_core_is_noticed(
    owner: t.Any,
    name: str,
    broken: t.Any,
    names: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(owner, name, broken)

    with pytest.raises(BadSchedule):
        examine(*names, moving=False)
