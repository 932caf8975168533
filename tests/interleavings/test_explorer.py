"""The explorer goes through everything, and the promises notice what they are for."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import signals
from sessionkit.committer import Committer
from sessionkit.cookie import Delete
from sessionkit.cookie import Instruction
from sessionkit.cookie import Set
from sessionkit.draft import Draft
from sessionkit.draft import Intent
from sessionkit.endings import Endings
from sessionkit.gateway import Gateway
from sessionkit.payload import Stub
from sessionkit.payload import pack_stub
from sessionkit.session import Session
from sessionkit.store import Record
from sessionkit.tokens import Identity
from sessionkit.tokens import Randomness
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


_commit = Committer.commit
_move = Gateway.move


def _bind_that_stands_down(self: Session, owner: str) -> None:
    self.draft.owner = owner
    self.draft.intent = Intent.RENEW


def _renew_that_insists(self: Session) -> None:
    self.draft.intent = Intent.BIND


def _delete_unknown(self: Committer, session: Session, draft: Draft, *, ok: bool) -> Instruction:
    return Delete() if draft.state == "new" else _commit(self, session, draft, ok=ok)


def _set_always(self: Committer, session: Session, draft: Draft, *, ok: bool) -> Instruction:
    instruction = _commit(self, session, draft, ok=ok)
    return instruction or (draft.stored and Set(draft.stored.session_id, None))


def _end_once(self: Endings, key: str, record: Record, *_: object) -> bool:
    return self._gateway.delete(key, record)


def _move_without_withdrawing(
    self: Gateway, old_key: str, expected: Record, stub: Record, new_key: str, record: Record
) -> bool:
    return self.swap(new_key, None, record) and self.swap(old_key, expected, stub)


def _move_leaving_no_trace(
    self: Gateway, old_key: str, expected: Record, stub: Record, new_key: str, record: Record
) -> bool:
    silent = stub._replace(payload=pack_stub(Stub("renewed", None, {})))
    return _move(self, old_key, expected, silent, new_key, record)


def _keep_ours(self: Values, theirs: dict[str, bytes], **_: t.Any) -> set[str]:
    self.settle()
    self.base = theirs
    return set()


def _put_result(self: Values, key: str, function: t.Any, default: t.Any) -> None:
    self.put(key, function(self.get(key) if self.has(key) else default))


_draw = Randomness.identity


def _the_same_public_id(self: Randomness) -> Identity:
    return _draw(self)._replace(public_id="a" * 22)


def _nothing(*_: t.Any, **__: t.Any) -> None:
    return None


_BROKEN: list[tuple[t.Any, str, t.Any, str]] = [
    (Committer, "commit", _delete_unknown, "write destroy"),
    (Committer, "commit", _set_always, "write renew"),
    (Endings, "end", _end_once, "write revoke_all"),
    (Gateway, "move", _move_leaving_no_trace, "renew destroy"),
    (Gateway, "move", _move_without_withdrawing, "write renew"),
    (Randomness, "identity", _the_same_public_id, "bind bind bind"),
    (Session, "bind", _bind_that_stands_down, "renew bind"),
    (Session, "renew", _renew_that_insists, "renew renew"),
    (Values, "mutate", _put_result, "mutate mutate"),
    (Values, "rebase", _keep_ours, "write write"),
    (Values, "settle", _nothing, "nested refresh"),
    (signals, "emit", _nothing, "write renew"),
]


@pytest.mark.parametrize(("owner", "name", "broken", "names"), _BROKEN)
def test_a_broken_core_is_noticed(
    owner: t.Any, name: str, broken: t.Any, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    examination = prepare(*names.split(), moving=False)
    monkeypatch.setattr(owner, name, broken)

    with pytest.raises(BadSchedule):
        examination.explore()
