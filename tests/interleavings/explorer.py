"""Every order in which the store calls of concurrent requests can happen.

Requests share nothing but the store. So what a request does next is decided by the answers that
its store calls got so far, and one that waits between two calls needs no thread: it is run again
from its beginning, with those answers on record, until it asks for something new. What several
orders lead to (the same answers so far, the same content of the store) is explored once, and the
orders are counted. Nothing is skipped.
"""

from __future__ import annotations

import collections.abc as cabc
import itertools
import typing as t

from sessionkit.store import Record
from sessionkit.stores.memory import MemoryStore


class Call(t.NamedTuple):
    """A call of the store."""

    method: str
    args: tuple[t.Any, ...]

    def __str__(self) -> str:
        names = (_short(key) for key in self.args if isinstance(key, str) and len(key) == 64)
        return f"{self.method}({', '.join(names)})"


class Run(t.NamedTuple):
    """How far a request comes with the answers that it has; the last call has none yet."""

    calls: tuple[Call, ...]
    outcome: t.Any


class Moment:
    """A request between two calls of the store, or at its end."""

    def __init__(
        self, run: cabc.Callable[[tuple[t.Any, ...]], Run], answers: tuple[t.Any, ...] = ()
    ) -> None:
        self._run = run
        self.answers = answers
        self._next: dict[t.Any, Moment] = {}
        self.calls, self.outcome = run(answers)

    @property
    def call(self) -> Call | None:
        """What it asks of the store; None at its end."""
        return self.calls[-1] if self.outcome is None else None

    def after(self, answer: t.Any) -> Moment:
        """Return where the request stands when its call is answered."""
        moment = self._next.get(answer)

        if moment is None:
            moment = self._next[answer] = Moment(self._run, (*self.answers, answer))
            done = len(self.calls)
            assert moment.calls[:done] == self.calls, "the request is not deterministic"

        return moment


#: An owner and a key of theirs.
Entry = tuple[str, str]


class Content:
    """What a store holds, which keys it ever held, and what its index names."""

    def __init__(
        self, records: dict[str, Record], used: frozenset[str], index: frozenset[Entry]
    ) -> None:
        self.records = records
        self.used = used
        self.index = index
        self.after: dict[Call, list[tuple[Content, t.Any]]] = {}


class Shelf:
    """Answers calls with a real store that is filled anew for each.

    :param watch: called with the content before a call, the call, and the content after it.
    """

    def __init__(self, watch: cabc.Callable[[Content, Call, Content], None]) -> None:
        self._watch = watch
        self._contents: dict[t.Any, Content] = {}

    def content(
        self,
        records: cabc.Mapping[str, Record],
        used: cabc.Iterable[str] = (),
        index: cabc.Iterable[Entry] = (),
    ) -> Content:
        """Return the one object for this content."""
        known, entries = frozenset(used).union(records), frozenset(index)
        items = (tuple(sorted(records.items())), known, entries)
        return self._contents.setdefault(items, Content(dict(records), known, entries))

    def apply(self, content: Content, call: Call) -> list[tuple[Content, t.Any]]:
        """Return the content after *call* and its answer, for each answer that is possible."""
        if call not in content.after:
            store = filled(content.records)
            index = content.index

            if call.method == "enter":
                answer, index = None, index | {call.args}
            elif call.method == "owned_by" and index:
                # Its members stay: whether one leads to a record is for the caller to see.
                answer = [key for owner, key in index if owner == call.args[0]]
            else:
                answer = getattr(store, call.method)(*call.args)

            records = {key: record for key in [*store.keys()] if (record := store.get(key))}
            after = self.content(records, content.used, index)
            self._watch(content, call, after)
            content.after[call] = [(after, possible) for possible in _possible(answer)]

        return content.after[call]


def _possible(answer: t.Any) -> list[t.Any]:
    """Return the answers that a store may give: it may list keys in any order."""
    return [*itertools.permutations(sorted(answer))] if isinstance(answer, list) else [answer]


def filled(records: cabc.Mapping[str, Record]) -> MemoryStore:
    """Return a store with these records."""
    store = MemoryStore()

    for key, record in records.items():
        store.swap(key, None, record)

    return store


class State(t.NamedTuple):
    """Everything, between two events."""

    content: Content
    #: What the browser has in its cookie jar.
    jar: str | None
    #: Where each request stands; None: not sent yet.
    moments: tuple[Moment | None, ...]
    #: Requests whose answer has arrived at the browser.
    arrived: frozenset[int] = frozenset()
    #: The request whose process was killed.
    killed: int | None = None

    def finished(self, request: int) -> bool:
        moment = self.moments[request]
        return moment is not None and moment.outcome is not None and request != self.killed

    def replace(self, request: int, moment: Moment, content: Content | None = None) -> State:
        moments = (*self.moments[:request], moment, *self.moments[request + 1 :])
        return State(content or self.content, self.jar, moments, self.arrived, self.killed)


class BadSchedule(AssertionError):
    """A promise is broken; says after which events."""


class Explorer:
    """Goes through all orders of events.

    :param shelf: the store.
    :param requests: for each, what opens it with the cookie that the browser has at that moment.
    :param receive: returns the jar after an answer with this outcome has arrived.
    :param check_step: called after every event with the state and the request that it was about.
    :param check_end: called with every state that is a last one.
    :param at_large: requests are sent, and answers arrive, at any time too. Otherwise all requests
        are sent at first, and the answers arrive after the end, which is left to *check_end*.
    :param victims: requests; the process of one of them is killed after any of its calls.
    """

    def __init__(
        self,
        shelf: Shelf,
        requests: cabc.Sequence[cabc.Callable[[str | None], Moment]],
        receive: cabc.Callable[[str | None, t.Any], str | None],
        check_step: cabc.Callable[[State, int], None],
        check_end: cabc.Callable[[State], None],
        *,
        at_large: bool = False,
        victims: cabc.Collection[int] = (),
    ) -> None:
        self._shelf = shelf
        self._requests = requests
        self._receive = receive
        self._check_step = check_step
        self._check_end = check_end
        self._at_large = at_large
        self._victims = victims
        #: How many there are from each state that was gone through.
        self.schedules: dict[State, int] = {}
        self._path: list[tuple[int, t.Any]] = []

    def explore(self, content: Content, jar: str | None) -> int:
        """Go through everything; return how many schedules there are.

        :raises BadSchedule: at the first one that breaks a promise.
        """
        first = State(content, jar, (None,) * len(self._requests))

        if not self._at_large:
            for request, start in enumerate(self._requests):
                first = first.replace(request, start(jar))

        try:
            return self._explore(first)
        except AssertionError as error:
            lines = (f"\n  {request} {_text(event)}" for request, event in self._path)
            raise BadSchedule(f"{error}{''.join(lines)}") from error

    def _explore(self, state: State) -> int:
        known = self.schedules.get(state)

        if known is not None:
            return known

        schedules = 0

        for request in range(len(self._requests)):
            for event, after in self._events(state, request):
                # What is left of the path when a check fails tells what happened.
                self._path.append((request, event))
                self._check_step(after, request)
                schedules += self._explore(after)
                self._path.pop()

        if schedules == 0:
            self._check_end(state)
            schedules = 1

        self.schedules[state] = schedules
        return schedules

    def _events(self, state: State, request: int) -> cabc.Iterator[tuple[t.Any, State]]:
        """Yield what can happen next to a request, and what that leads to."""
        moment = state.moments[request]

        if request == state.killed:
            return

        if moment is None:
            yield "is sent", state.replace(request, self._requests[request](state.jar))
        elif moment.call is not None:
            for content, answer in self._shelf.apply(state.content, moment.call):
                after = state.replace(request, moment.after(answer), content)
                yield (moment.call, answer), after
        elif self._at_large and request not in state.arrived:
            jar = self._receive(state.jar, moment.outcome)
            yield "arrives", state._replace(jar=jar, arrived=state.arrived | {request})

        can_be_killed = request in self._victims and state.killed is None
        if can_be_killed and moment and request not in state.arrived and moment.answers:
            yield "is killed", state._replace(killed=request)


def _text(event: t.Any) -> str:
    if isinstance(event, str):
        return event

    call, answer = event
    return f"{call} -> {_brief(answer)}"


def _brief(answer: t.Any) -> str:
    if isinstance(answer, Record):
        return "stub" if answer.payload[1:2] == b"S" else "record"

    return " ".join(_short(key) for key in answer) if isinstance(answer, tuple) else str(answer)


def _short(key: str) -> str:
    return f"{key[:4]}.."
