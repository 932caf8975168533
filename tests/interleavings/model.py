"""Sessions as a user thinks of them: whole requests, one after the other, and no store calls.

A request works on a copy of what it loaded. At its end, what it changed is laid over what is there
by then, unless the session was replaced or ended.
"""

from __future__ import annotations

import dataclasses
import typing as t

Data = dict[str, t.Any]
Intent = t.Literal["keep", "renew", "bind", "end"]


@dataclasses.dataclass
class Entry:
    """What stands under an id: a session, the id that replaced it, or that it was revoked."""

    values: Data
    flash: Data
    owner: str | None
    successor: str | None = None
    revoked: bool = False

    @property
    def is_live(self) -> bool:
        return self.successor is None and not self.revoked


@dataclasses.dataclass
class Request:
    """What one request knows and wants.

    :ivar base: the values that were loaded.
    :ivar count: by how much the counter was increased.
    """

    session_id: str | None
    state: t.Literal["new", "live", "superseded"]
    values: Data
    flash: Data
    owner: str | None
    intent: Intent = "keep"
    #: The end is carried out even if the answer is an error.
    must_end: bool = False
    count: int = 0
    #: What an early save has decided already: the cookie's new value, or "delete".
    announced: str | None = None
    lost: bool = False
    #: The cookie leads to a session that somebody else has ended.
    was_revoked: bool = False

    def __post_init__(self) -> None:
        self.take_as_base()

    def take_as_base(self) -> None:
        self.base, self.base_flash = dict(self.values), dict(self.flash)
        self.count = 0

    @property
    def is_empty(self) -> bool:
        return not self.values and not self.flash and self.owner is None

    @property
    def has_changed(self) -> bool:
        return self.values != self.base or self.flash != self.base_flash

    def end(self, *, keep_flash: bool = False) -> None:
        self.must_end = True
        self.start_afresh(keep_flash=keep_flash)

    def start_afresh(self, *, keep_flash: bool = False) -> None:
        self.values, self.owner, self.intent = {}, None, "end"
        self.flash = self.flash if keep_flash else {}
        self.base, self.base_flash, self.count = {}, {}, 0

    def leave_stub(self) -> None:
        """Keep only what was written here, as nobody's."""
        changed = _changes(self.base, self.values)
        self.values = {key: self.values[key] for key in changed & self.values.keys()}
        flashed = _changes(self.base_flash, self.flash)
        self.flash = {key: self.flash[key] for key in flashed & self.flash.keys()}
        self.base, self.base_flash = {}, {}
        self.owner, self.intent = None, "bind"

    def renew(self) -> None:
        if self.intent == "keep" and self.state != "superseded":
            self.intent = "renew"

    def bind(self, owner: str) -> None:
        if self.owner not in (None, owner):
            self.start_afresh()
        elif self.state == "superseded" and self.intent == "keep":
            self.leave_stub()
        elif self.intent != "end":
            self.intent = "bind"

        self.owner = owner


class Ended(t.NamedTuple):
    """How a request ends: what the cookie becomes."""

    cookie: t.Literal["set", "delete"] | None


class Model:
    """All sessions, by id."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def open(self, session_id: str | None) -> Request:
        entry = self.entries.get(session_id or "")

        if entry is None or entry.revoked:
            return Request(session_id, "new", {}, {}, None, was_revoked=entry is not None)

        if entry.successor is not None:
            return Request(session_id, "superseded", {}, {}, None)

        return Request(session_id, "live", dict(entry.values), dict(entry.flash), entry.owner)

    def commit(self, request: Request, *, ok: bool, forced: bool = False) -> Ended:
        """Carry out a request, but for a new id: that comes with :meth:`placed`."""
        request.lost = False

        if not ok and not request.must_end:
            return Ended(None)

        if not ok:
            request.start_afresh()

        if request.intent == "end":
            return self._end(request)

        if request.state == "new" or (request.state, request.intent) == ("superseded", "bind"):
            return Ended("set" if forced or not request.is_empty else None)

        if request.state == "superseded":
            request.lost = True
            return Ended(None)

        entry = self.entries.get(t.cast(str, request.session_id))
        is_there = entry is not None and entry.is_live

        if is_there and entry is not None:
            self._lay_over(request, entry)
            return Ended(None if request.intent == "keep" else "set")

        if request.intent == "bind":
            return Ended("set")

        request.lost = request.has_changed or request.intent == "renew" or forced
        return Ended(None)

    def reloaded(self, request: Request) -> None:
        """Let a request take note of what others have written, before it tries again.

        A login that is overtaken afterwards has seen it.
        """
        entry = self.entries.get(request.session_id or "")

        if entry is not None and entry.is_live and request.state == "live":
            values, flash = dict(entry.values), dict(entry.flash)
            self._merge(request, entry)
            request.base, request.base_flash = values, flash

    def placed(self, request: Request, new_id: str) -> None:
        """Take note of the id under which a request has stored its session."""
        assert new_id not in self.entries, "an id was used twice"
        entry = self.entries.get(request.session_id or "")

        if entry is not None and entry.is_live and request.state == "live":
            self.entries[t.cast(str, request.session_id)] = Entry({}, {}, None, new_id)

        self.entries[new_id] = Entry(dict(request.values), dict(request.flash), request.owner)
        request.session_id = new_id
        request.was_revoked = False

    def tip(self, session_id: str | None) -> str | None:
        """Return the id of the live session that *session_id* has become, if any."""
        last = self._last(session_id)
        return last if last is not None and self.entries[last].is_live else None

    def _last(self, session_id: str | None) -> str | None:
        while session_id is not None:
            entry = self.entries.get(session_id)

            if entry is None or entry.successor is None:
                return session_id if entry is not None else None

            session_id = entry.successor

        return None

    def revoke(self, owner: str) -> int:
        ended = [key for key, entry in self.entries.items() if entry.owner == owner]

        for session_id in ended:
            self.entries[session_id] = Entry({}, {}, None, revoked=True)

        return len(ended)

    def _end(self, request: Request) -> Ended:
        last = self.tip(request.session_id) if request.state != "new" else None
        was_over = request.was_revoked or (
            request.state != "new" and last is None and self._last(request.session_id) is not None
        )
        replaces = last == request.session_id and not request.is_empty

        if last is not None and not replaces:
            del self.entries[last]

        if not request.is_empty:
            return Ended("set")

        # What an early save wrote is over, too: nobody needs its id.
        request.announced = request.announced if request.announced == "delete" else None
        return Ended("delete" if last is not None or was_over else None)

    def _lay_over(self, request: Request, entry: Entry) -> None:
        changed = request.has_changed or request.intent != "keep"
        self._merge(request, entry)

        if changed:
            entry.values, entry.flash = dict(request.values), dict(request.flash)

    def _merge(self, request: Request, entry: Entry) -> None:
        values, flash = dict(entry.values), dict(entry.flash)

        for key in _changes(request.base, request.values) - {"count"}:
            _put(values, key, request.values)

        if request.count:
            values["count"] = values.get("count", 0) + request.count

        for key in _changes(request.base_flash, request.flash):
            if key in request.flash or flash.get(key) == request.base_flash.get(key):
                _put(flash, key, request.flash)

        owner = request.owner if request.intent == "bind" else entry.owner
        request.values, request.flash, request.owner = values, flash, owner


def _changes(base: Data, ours: Data) -> set[str]:
    return {key for key in {*base, *ours} if base.get(key) != ours.get(key)}


def _put(target: Data, key: str, source: Data) -> None:
    if key in source:
        target[key] = source[key]
    else:
        target.pop(key, None)
