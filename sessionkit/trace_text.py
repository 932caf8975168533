"""What the debug trace notes of a request, and the line that it makes of it: names and sizes."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .cookie import Delete
from .cookie import Instruction
from .cookie import Set
from .draft import Draft
from .merge import changed_keys
from .policy import REFRESH_AFTER

if t.TYPE_CHECKING:
    from .session import Session

#: How many keys are named in one place, and how long a name may be.
MOST_KEYS: t.Final = 20
LONGEST_KEY: t.Final = 60

_WRITES: t.Final = {
    "created": "created",
    "changed": "written",
    "facts": "written, since its lifetime or what is known about it changed",
    "early": "written early, by save()",
    "forced": "written although nothing changed, since the application said so",
    "renewed": "renewed",
    "owner changed": "renewed for another owner",
}

_COOKIES: t.Final = {
    "created": "the session is new",
    "renewed": "the id is new",
    "owner changed": "the id is new",
}


class Write(t.NamedTuple):
    """One write of the session: why, and the bytes of all of it."""

    why: str
    size: int


class Notes:
    """What one request did with its session."""

    def __init__(self) -> None:
        #: Why cookies were refused.
        self.refused: list[str] = []
        #: Where the id came from.
        self.source: str = ""
        self.state: str = ""
        #: Encoded sizes as loaded.
        self.before: dict[str, int] = {}
        #: Keys that were looked at, and their sizes then.
        self.read: dict[str, int] = {}
        self.assigned: set[str] = set()
        #: Keys whose value was found to have changed inside.
        self.inside: set[str] = set()
        self.changed: set[str] = set()
        self.lost: int = 0
        #: What was loaded before a swap was lost.
        self.base: dict[str, bytes] = {}
        #: Keys that other requests have written meanwhile, and those that this one has, too.
        self.theirs: set[str] = set()
        self.by_both: set[str] = set()
        self.dropped: list[tuple[set[str], str]] = []
        self.writes: list[Write] = []
        self.ended: str | None = None
        self.ok: bool = True
        self.passive: bool = False
        self.gain: float | None = None
        self.failure: str | None = None

    def found(self, session: Session, draft: Draft) -> None:
        """Note what was loaded, and whence."""
        self.state = draft.state
        self.before = _sizes(draft)
        self.source = "cookie" if session.token is None else "header"

        if session.session_id is not None:
            self.source = "given id"

        if session.error is not None:
            self.refused.append(type(session.error).__name__)
        elif not self.refused and not session.candidates():
            self.refused.append("not sent" if session.session_id is None else "unknown")

    def about_to_commit(self, draft: Draft, gain: float | None, *, ok: bool) -> None:
        """Note what the commit depends on.

        :param gain: by which part of its idle time the session would live longer.
        """
        self.ok = ok
        self.passive = draft.passive
        self.gain = gain

    def lost_swap(self, draft: Draft) -> None:
        """Note that another request was faster."""
        self.lost += 1
        self.base = _encoded(draft.values.base, draft.flash.base)

    def merged(self, draft: Draft, keys: set[str]) -> None:
        """Note what the other request has written.

        :param keys: those of this one.
        """
        theirs = changed_keys(self.base, _encoded(draft.values.base, draft.flash.base))
        self.theirs |= theirs
        self.by_both |= theirs & keys

    def wrote(self, why: str, keys: set[str], draft: Draft) -> None:
        """Note a write."""
        self.changed |= keys
        why = "facts" if why == "changed" and not keys else why
        self.writes.append(Write(why, len(draft.origin.record.payload)))


def line(notes: Notes, session: Session, draft: Draft, instruction: Instruction) -> str:
    """Return the line of one request, after its commit."""
    parts = [_found(notes)]

    if notes.read:
        parts.append(f"read {_named(notes.read, lambda key: _bytes(notes.read[key]))}")

    if notes.changed:
        after = _sizes(draft)
        parts.append(f"changed {_named(notes.changed, lambda key: _change(notes, key, after))}")

    if notes.lost:
        parts.append(_conflict(notes))

    parts += [f"dropped {_named(keys)}: {reason}" for keys, reason in notes.dropped]
    parts += _written(notes, draft)
    parts.append(_cookie(notes, session, draft, instruction))
    return f"session {session.cookie.name}: {'; '.join(parts)}"


def _found(notes: Notes) -> str:
    if notes.state == "live":
        count = len(notes.before)
        size = _bytes(sum(notes.before.values()))
        return f"live, from the {notes.source}, {count} {'key' if count == 1 else 'keys'} of {size}"

    why = ", ".join(notes.refused)
    return {
        "new": f"new, {notes.source} {why}",
        "superseded": "superseded, the id was replaced by a newer one",
        "unavailable": f"unavailable, {why}",
    }.get(notes.state, notes.state)


def _change(notes: Notes, key: str, after: dict[str, int]) -> str:
    before = notes.before.get(key)

    if key not in after:
        return "removed"

    if before is None:
        return f"new, {_bytes(after[key])}"

    nested = ", inside of it" if key in notes.inside and key not in notes.assigned else ""
    return f"{before} -> {_bytes(after[key])}{nested}"


def _conflict(notes: Notes) -> str:
    times = "once" if notes.lost == 1 else f"{notes.lost} times"
    theirs = f" by requests that wrote {_named(notes.theirs)}" if notes.theirs else ""
    both = f", both wrote {_named(notes.by_both)}" if notes.by_both else ""
    return f"overtaken {times}{theirs}{both}"


def _written(notes: Notes, draft: Draft) -> list[str]:
    parts = [_write(notes, write) for write in notes.writes]

    if notes.ended is not None:
        parts.insert(0, "ended" if notes.ended == "ended" else f"ended, {notes.ended}")

    if notes.failure is not None:
        return [*parts, f"the commit failed: {notes.failure}"]

    return parts or [f"not written: {_why_not(notes, draft)}"]


def _write(notes: Notes, write: Write) -> str:
    if write.why == "refreshed":
        return (
            f"nothing changed, but {_percent(notes.gain)} of its idle time had passed: its life "
            f"extended, {_bytes(write.size)} written"
        )

    return f"{_WRITES[write.why]}, {_bytes(write.size)}"


def _why_not(notes: Notes, draft: Draft) -> str:
    if not notes.ok:
        return "the answer is an error"

    if notes.state == "live" and draft.state != "live":
        return "another request has ended or replaced the session"

    if draft.state != "live" and notes.dropped:
        return "there was nowhere to write to"

    if any(reason == "unavailable" for _, reason in notes.dropped):
        return "the store did not answer"

    if notes.state == "new":
        return "it is new and empty"

    if notes.state != "live":
        return "there is nothing to write"

    if notes.passive:
        return "nothing changed, and the request is passive"

    if notes.gain is not None and notes.gain >= REFRESH_AFTER:
        return "nothing changed, and another request was faster to extend its life"

    return (
        f"nothing changed, and only {_percent(notes.gain)} of its idle time has passed (it is "
        f"extended from {_percent(REFRESH_AFTER)})"
    )


def _cookie(notes: Notes, session: Session, draft: Draft, instruction: Instruction) -> str:
    what = "cookie" if session.token is None else "id in the header"

    if isinstance(instruction, Delete) and session.token is None:
        return "cookie deleted: the session was ended"

    if not isinstance(instruction, Set):
        return f"no {what}" + (
            ": the client has it" if notes.state == draft.state == "live" else ""
        )

    reasons = [_COOKIES[write.why] for write in notes.writes if write.why in _COOKIES]

    if session.manager.is_sealed:
        reasons = [f"the session is in it, {_bytes(len(instruction.value))}"]

    return f"{what} sent: {reasons[-1] if reasons else 'its lifetime changed'}"


def _sizes(draft: Draft) -> dict[str, int]:
    encoded = _encoded(draft.values.encoded(), draft.encoded_flash)
    return {key: len(value) for key, value in encoded.items()}


def _encoded(values: dict[str, bytes], flash: dict[str, bytes]) -> dict[str, bytes]:
    return values | {f"flash:{key}": value for key, value in flash.items()}


def _named(keys: cabc.Collection[str], detail: cabc.Callable[[str], str] | None = None) -> str:
    shown = sorted(keys)[:MOST_KEYS]
    named = [_quoted(key) + (f" ({detail(key)})" if detail else "") for key in shown]
    more = f" and {len(keys) - len(shown)} more" if len(keys) > len(shown) else ""
    return ", ".join(named) + more


def _quoted(key: str) -> str:
    # Applications make names of what they are sent: it must not begin a new line of the log.
    return repr(key if len(key) <= LONGEST_KEY else f"{key[:LONGEST_KEY]}...")


def _bytes(size: int) -> str:
    return f"{size} B"


def _percent(part: float | None) -> str:
    return f"{100 * (part or 0):.0f} %"
