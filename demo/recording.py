"""Notes what a request does with its session: at the store, and by the signals that are sent."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import contextvars
import time
import typing as t

from sessionkit import Record
from sessionkit import Store
from sessionkit import signals

R = t.TypeVar("R")

#: What the commands of a store do, in a few words.
COMMANDS: t.Final = {
    "get": "read the record",
    "create": "write a new record",
    "update": "write the record, unless it has changed since it was read",
    "delete": "remove the record, unless it has changed since it was read",
    "move": "write the record under a new id, and end the old id",
    "owned_by": "list the sessions of this owner",
}

#: What signals say, in a few words.
EVENTS: t.Final = {
    "created": "created",
    "saved": "saved",
    "renewed": "given a new id",
    "destroyed": "ended",
    "merged": "merged with what another request has written meanwhile",
    "dropped": "given up, since the session was ended or replaced",
    "superseded_use": "asked for under an id that a newer one has replaced",
}


class Step(t.NamedTuple):
    """One line of the list on the page."""

    kind: str
    text: str
    detail: str = ""


class Recording:
    """The steps of one request, and the names of the signals among them."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.events: set[str] = set()


_current: contextvars.ContextVar[Recording | None] = contextvars.ContextVar(
    "demo.recording", default=None
)


@contextlib.contextmanager
def record() -> cabc.Generator[Recording, None, None]:
    """Record what happens in this block."""
    recording = Recording()
    token = _current.set(recording)

    try:
        yield recording
    finally:
        _current.reset(token)


class RecordingStore:
    """Passes everything on to *store*, and notes each command."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str, /) -> Record | None:
        return _timed("get", self._store.get, key)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        name = "create" if expected is None else "update"
        return _timed(name, self._store.swap, key, expected, record)

    def delete(self, key: str, expected: Record, /) -> bool:
        return _timed("delete", self._store.delete, key, expected)

    def __getattr__(self, name: str) -> t.Any:
        # What a store can do beyond the three is found by looking.
        attribute = getattr(self._store, name)
        return (lambda *args: _timed(name, attribute, *args)) if name in COMMANDS else attribute


def _timed(name: str, command: cabc.Callable[..., R], *args: object) -> R:
    begin = time.perf_counter()
    result = command(*args)
    microseconds = (time.perf_counter() - begin) * 1e6

    if (recording := _current.get()) is not None:
        refused = " – refused: it has changed" if result is False else ""
        recording.steps.append(
            Step("store", COMMANDS[name] + refused, f"{microseconds:.0f}\u00a0µs")
        )

    return result


def _listen(name: str) -> cabc.Callable[..., None]:
    def receiver(sender: object, *, keys: cabc.Collection[str] = (), **values: object) -> None:
        if (recording := _current.get()) is not None:
            recording.events.add(name)
            recording.steps.append(Step("session", EVENTS[name], ", ".join(sorted(keys))))

    getattr(signals, name).connect(receiver)
    return receiver


# Signals hold their receivers weakly.
_receivers = [_listen(name) for name in EVENTS]
