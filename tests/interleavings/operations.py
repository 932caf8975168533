"""What requests do to their session, and what is to be seen of it afterwards."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from sessionkit import Session

BASE_COUNT = 10


class Written(t.NamedTuple):
    """A live session, decoded."""

    values: dict[str, t.Any]
    flash: dict[str, t.Any]


class Operation(t.NamedTuple):
    """One kind of request.

    :param act: uses the session; the number tells the requests of a case apart.
    :param effects: what it writes: the key as the signal ``dropped`` names it, and whether the
        write is there. None of the effects can come from another request.
    """

    name: str
    act: cabc.Callable[[Session, int], object]
    effects: cabc.Mapping[str, cabc.Callable[[Written, int], bool]]
    #: The id is renewed.
    renews: bool = False
    #: Who has authenticated in this request.
    owner: str | None = None
    #: The session is ended.
    ends: bool = False
    #: Alice's sessions are ended.
    revokes: bool = False
    #: The answer's status is below 500.
    ok: bool = True
    #: What it adds to the counter.
    counts: int = 0
    #: Without a live session there is nothing to change.
    changes_what_is_there: bool = False

    @property
    def may_overtake(self) -> bool:
        """Whether others can lose their writes by it."""
        return self.renews or self.owner is not None or self.ends or self.revokes

    def __repr__(self) -> str:
        return self.name


def _mark(session: Session, number: int) -> None:
    session[f"mark{number}"] = number


def _has_mark(written: Written, number: int) -> bool:
    return written.values.get(f"mark{number}") == number


_MARK = {"mark": _has_mark}


def _nested(session: Session, number: int) -> None:
    if box := session.get(f"box{number}"):
        box["inside"].append(number)


def _remove(session: Session, number: int) -> None:
    session.pop(f"old{number}", None)


def _renew(session: Session, number: int) -> None:
    _mark(session, number)
    session.renew()


def _bind(owner: str) -> cabc.Callable[[Session, int], None]:
    def act(session: Session, number: int) -> None:
        session.bind(owner)
        _mark(session, number)

    return act


def _clear_then_write(session: Session, number: int) -> None:
    session.clear()
    _mark(session, number)


def _save_then_write(session: Session, number: int) -> None:
    session[f"early{number}"] = number
    session.save()
    _mark(session, number)


def _renew_early(session: Session, number: int) -> None:
    session.renew()
    session.save()
    _mark(session, number)


def _save_then_renew(session: Session, number: int) -> None:
    _save_then_write(session, number)
    session.renew()


def _save_then_bind(session: Session, number: int) -> None:
    session[f"early{number}"] = number
    session.save()
    _bind("alice")(session, number)


def _set_flash(session: Session, number: int) -> None:
    session.flash[f"mark{number}"] = number


OPERATIONS = {
    operation.name: operation
    for operation in [
        Operation("write", _mark, _MARK),
        Operation(
            "nested",
            _nested,
            {"box": lambda written, i: written.values.get(f"box{i}") == {"inside": [i]}},
            changes_what_is_there=True,
        ),
        Operation(
            "remove",
            _remove,
            {"old": lambda written, i: f"old{i}" not in written.values},
            changes_what_is_there=True,
        ),
        Operation(
            "mutate",
            lambda session, number: session.mutate("count", lambda count: count + 1, 0),
            {},
            counts=1,
        ),
        Operation(
            "mutate_twice",
            lambda session, number: [
                session.mutate("count", lambda count: count + 1, 0) for _ in range(2)
            ],
            {},
            counts=2,
        ),
        Operation("refresh", lambda session, number: session.get("secret"), {}),
        Operation(
            "flash",
            _set_flash,
            {"flash:mark": lambda written, i: written.flash.get(f"mark{i}") == i},
        ),
        Operation(
            "consume",
            lambda session, number: session.flash.get(f"note{number}"),
            {"flash:note": lambda written, i: f"note{i}" not in written.flash},
            changes_what_is_there=True,
        ),
        Operation(
            "save_then_write",
            _save_then_write,
            {**_MARK, "early": lambda written, i: written.values.get(f"early{i}") == i},
        ),
        Operation("fail", _mark, _MARK, ok=False),
        Operation("renew", _renew, _MARK, renews=True),
        Operation("renew_early", _renew_early, _MARK, renews=True),
        Operation("save_then_renew", _save_then_renew, _MARK, renews=True),
        Operation("bind", _bind("alice"), _MARK, owner="alice"),
        Operation("save_then_bind", _save_then_bind, _MARK, owner="alice"),
        Operation("bind_other", _bind("bob"), _MARK, owner="bob"),
        Operation("unbind", lambda session, number: session.unbind(), {}, ends=True),
        Operation("destroy", lambda session, number: session.destroy(), {}, ends=True),
        Operation(
            "destroy_and_fail",
            lambda session, number: session.destroy(),
            {},
            ends=True,
            ok=False,
        ),
        Operation("clear_then_write", _clear_then_write, _MARK, ends=True),
        Operation(
            "revoke_all",
            lambda session, number: session.manager.revoke_all("alice"),
            {},
            revokes=True,
        ),
    ]
}

#: Those that the promise is made for in particular.
MAIN = ["write", "renew", "bind", "destroy", "revoke_all", "refresh"]
