"""What must hold after every event, and in the end, whatever the order was."""

from __future__ import annotations

import functools
import itertools
import typing as t

from sessionkit.codec import Codec
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.payload import Live
from sessionkit.payload import Stub
from sessionkit.payload import unpack
from sessionkit.store import Record

from .cases import POLICY
from .cases import Outcome
from .cases import Process
from .cases import key_of
from .cases import receive
from .explorer import Call
from .explorer import Content
from .explorer import State
from .explorer import filled
from .operations import BASE_COUNT
from .operations import Operation
from .operations import Written

_opened = functools.cache(unpack)


@functools.cache
def _decoded(live_payload: bytes) -> Written:
    live = _opened(live_payload)
    assert isinstance(live, Live)
    decode = Codec().decode
    values = {key: decode(value) for key, value in live.values.items()}
    return Written(values, {key: decode(value) for key, value in live.flash.items()})


def is_live(record: Record | None) -> bool:
    return record is not None and isinstance(_opened(record.payload), Live)


def _successor(record: Record | None) -> str | None:
    content = None if record is None else _opened(record.payload)
    return content.successor if isinstance(content, Stub) else None


def watch_store(before: Content, call: Call, after: Content) -> None:
    """Check what a single call did to the store."""
    for key, record in after.records.items():
        old = before.records.get(key)

        if old is None:
            assert key not in before.used, f"{call}: a key was used twice"
        elif old != record:
            assert record.version > old.version, f"{call}: a version did not increase"
            assert is_live(old), f"{call}: a stub was written"
            heir = after.records.get(_successor(record) or key)

            if heir is not None and _public_id(heir) == _public_id(old):
                assert heir.expires_at >= old.expires_at, f"{call}: a life was shortened"


def _public_id(record: Record) -> str | None:
    content = _opened(record.payload)
    return content.header.public_id if isinstance(content, Live) else None


class Promises:
    """The promises of a case.

    :param operations: what its requests do.
    :param jar: the browser's cookie before.
    :param content: the store before.
    :param index_first: whether a listing may be older than the record that it names.
    """

    def __init__(
        self,
        operations: tuple[Operation, ...],
        content: Content,
        jar: str | None,
        *,
        index_first: bool = False,
    ) -> None:
        self._index_first = index_first
        self._operations = operations
        self._jar = jar
        self._initial = key_of(jar)
        self._was_live = self._initial is None or is_live(content.records[self._initial])
        # A login ends the session of somebody else.
        owners = {record.owner for record in content.records.values()}
        owners |= {it.owner for it in operations}
        several = len(owners - {None}) > 1
        self._somebody_ends = several or any(it.ends or it.revokes for it in operations)

    # -- after each event

    def check_step(self, state: State, request: int) -> None:
        """Check what holds at the moment at which *request* has come to its end, or went on."""
        if not state.finished(request) or request in state.arrived:
            return

        operation, outcome = self._operations[request], _outcome(state, request)
        assert outcome.error is None, f"{operation} raised {outcome.error}"
        self._check_what_it_saw(outcome)
        self._check_answer(operation, outcome)
        key = key_of(outcome.cookie)

        if isinstance(outcome.instruction, Set) and key is not None:
            assert not is_live(state.content.records.get(key)), "the old id works after a renewal"

        if _ends(operation, outcome):
            assert self._tip(state, key) is None, f"{operation} is over, and the session lives"

        if operation.owner is not None:
            mine = f"mark{request}"
            announced = isinstance(outcome.instruction, Set) and mine not in outcome.dropped
            assert announced, f"{operation} stood down"

        if operation.renews and outcome.state == "live":
            self._check_renewal(state, outcome)

        if operation.revokes:
            for key, record in state.content.records.items():
                excused = record.owner != "alice" or self._is_beside(state, key)
                assert excused, f"{operation} is over, and a session of hers lives"

    def _is_beside(self, state: State, key: str) -> bool:
        """Whether the record was made when a listing had named it already.

        It will be withdrawn by the request that is under way, or is that of a login.
        """
        maker = Process.made_by.get(key)

        if maker is None or not self._index_first:
            return False

        return not state.finished(maker) or self._authenticated(state, key)

    def _check_renewal(self, state: State, outcome: Outcome) -> None:
        """What a plain renewal found lives on under one new id at most."""
        old, new = key_of(outcome.cookie), key_of(_value(outcome))

        if old is not None and new is not None:
            record = state.content.records.get(new)
            takes_over = (
                is_live(record)
                and record is not None
                and "secret" in _decoded(record.payload).values
            )
            heir = self._whole_tip(state, old)
            assert not takes_over or heir == new, "a renewal that was too late kept its session"

    def _check_what_it_saw(self, outcome: Outcome) -> None:
        if outcome.state != "live":
            assert outcome.owner is None, "an owner without a session"
            assert outcome.secret is None, "data without a session"

    def _check_answer(self, operation: Operation, outcome: Outcome) -> None:
        if isinstance(outcome.instruction, Delete):
            assert operation.ends, f"{operation} deleted the cookie"

        if isinstance(outcome.instruction, Set):
            makes_id = operation.renews or operation.owner or operation.ends
            assert makes_id or outcome.state == "new", f"{operation} set the cookie"

    # -- in the end

    def check_end(self, state: State) -> None:
        """Check what holds when all requests are over."""
        self._check_stubs(state)
        self._check_records(state)
        self._check_index(state)
        self._check_ends(state)
        self._check_writes(state)
        self._check_count(state)
        self._check_browser(state)

    def _check_stubs(self, state: State) -> None:
        for record in state.content.records.values():
            content = _opened(record.payload)

            if isinstance(content, Stub):
                assert record.owner is None, "a stub has an owner"
                assert content.values.keys() <= set(POLICY.form_tokens), "a stub has data"

    def _check_records(self, state: State) -> None:
        """Everything alive was announced to somebody, and is one session."""
        live = {key: record for key, record in state.content.records.items() if is_live(record)}
        announced = {key_of(_value(_outcome(state, i))) for i in self._finished(state)}

        for key in live:
            maker = Process.made_by.get(key, -1)
            known = maker in (-1, state.killed) or key in announced
            assert known, f"{self._operations[maker]} left a session that nobody can reach"

        if state.killed is None:
            public_ids = [_public_id(record) for record in live.values()]
            assert len(public_ids) == len({*public_ids}), "two sessions have one public id"

    def _check_index(self, state: State) -> None:
        store = filled(state.content.records)

        for key, record in state.content.records.items():
            if record.owner is not None:
                assert key in store.owned_by(record.owner, 0.0), "the index hides a session"

    def _check_ends(self, state: State) -> None:
        """What was ended stays ended."""
        for request in self._finished(state):
            operation, outcome = self._operations[request], _outcome(state, request)

            if _ends(operation, outcome):
                key = key_of(outcome.cookie)
                assert self._tip(state, key) is None, f"what {operation} ended came back"

            if operation.revokes:
                for key, record in state.content.records.items():
                    excused = record.owner != "alice" or self._authenticated(state, key)
                    assert excused, "what was revoked came back"

    def _authenticated(self, state: State, key: str) -> bool:
        """Whether a login of this case made the session behind *key*, or one that it renewed."""
        maker = Process.made_by.get(key)

        if maker is None or maker == state.killed:
            return maker is not None

        cookie_key = key_of(_outcome(state, maker).cookie)
        by_login = self._operations[maker].owner is not None
        return by_login or (cookie_key is not None and self._authenticated(state, cookie_key))

    def _check_writes(self, state: State) -> None:
        """No write is lost without a signal, and none is signalled that is there."""
        for request in self._finished(state):
            operation, outcome = self._operations[request], _outcome(state, request)
            key = key_of(_value(outcome) or outcome.cookie)
            dropped = {name.replace(str(request), "") for name in outcome.dropped}
            overtaken = any(
                other.may_overtake for i, other in enumerate(self._operations) if i != request
            )
            excused = overtaken or not operation.ok or not self._was_live
            assert not dropped or excused, f"{operation} lost {dropped} to nobody"

            if key is not None and not self._somebody_ends and (operation.ok or self._was_live):
                alive = is_live(state.content.records.get(self._whole_tip(state, key)))
                assert alive, "a session was lost"

            tip = self._tip(state, key)

            if tip is not None and (outcome.secret or not operation.changes_what_is_there):
                written = _decoded(state.content.records[tip].payload)

                for name, is_there in operation.effects.items():
                    there = is_there(written, request)
                    assert there or name in dropped, f"{operation} lost {name} without a signal"
                    told = not there or name not in dropped
                    assert told, f"{operation} was told that {name} is lost, but it is there"

    def _check_count(self, state: State) -> None:
        """Counters are exact."""
        tip = self._tip(state, self._initial)

        if tip is None:
            return

        sure = possible = BASE_COUNT

        for request, operation in enumerate(self._operations):
            if not operation.counts:
                continue

            if not state.finished(request):
                possible += operation.counts
            elif "count" not in _outcome(state, request).dropped and (
                self._tip(state, key_of(_outcome(state, request).cookie)) == tip
            ):
                sure += operation.counts
                possible += operation.counts

        count = _decoded(state.content.records[tip].payload).values["count"]
        assert sure <= count <= possible, f"the counter is {count}, not {sure}"

    # -- the browser

    def _check_browser(self, state: State) -> None:
        if state.jar != self._jar or len(state.arrived) == len(self._operations):
            self._check_jar(state, state.jar)
            return

        for order in itertools.permutations(self._finished(state)):
            jar = self._jar

            for request in order:
                jar = receive(jar, _outcome(state, request).instruction)

            self._check_jar(state, jar)

    def _check_jar(self, state: State, jar: str | None) -> None:
        """Check that the browser is not left on a dead id, if nobody ended the session."""
        key = key_of(jar)

        if key is None:
            answers = [_outcome(state, i).instruction for i in self._finished(state)]
            excused = self._jar is None or any(isinstance(it, Delete) for it in answers)
            assert excused, "the browser lost its cookie"
        elif not is_live(state.content.records.get(key)):
            stayed_dead = jar == self._jar and not self._was_live
            excused = stayed_dead or state.killed is not None
            assert excused or self._somebody_ends, "the browser is left on a dead id"
            lives_on = is_live(state.content.records.get(self._whole_tip(state, key)))
            assert excused or not lives_on, "the browser is left on a replaced id"

    # -- from one record to the next

    def _finished(self, state: State) -> list[int]:
        return [i for i in range(len(self._operations)) if state.finished(i)]

    def _whole_tip(self, state: State, key: str) -> str:
        """Return what the id behind *key* was replaced by in the end."""
        while (successor := _successor(state.content.records.get(key))) is not None:
            key = successor

        return key

    def _tip(self, state: State, key: str | None) -> str | None:
        """Return the live record of the same session; None if it was ended or given to another."""
        while key is not None:
            record = state.content.records.get(key)

            if is_live(record):
                return key

            key = _successor(record)

            if key is not None and self._starts_afresh(state, key):
                return None

        return None

    def _starts_afresh(self, state: State, key: str) -> bool:
        maker = Process.made_by.get(key)

        if maker is None:
            return False

        moment = state.moments[maker]
        outcome = moment.outcome if moment is not None else None
        return _ends(self._operations[maker], outcome)


def _ends(operation: Operation, outcome: Outcome | None) -> bool:
    """Whether it ends what it found."""
    previous = None if outcome is None else outcome.owner
    return operation.ends or (operation.owner and previous) not in (None, operation.owner)


def _value(outcome: Outcome) -> str | None:
    """Return what the answer sets the cookie to."""
    instruction = outcome.instruction
    return instruction.value if isinstance(instruction, Set) else None


def _outcome(state: State, request: int) -> Outcome:
    moment = state.moments[request]
    assert moment is not None
    return t.cast(Outcome, moment.outcome)
