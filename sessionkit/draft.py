"""What one request knows of its session and what it wants of it. Pure: no store, no clock."""

from __future__ import annotations

import collections.abc as cabc
import enum
import typing as t

from .codec import Codec
from .cookie import Instruction
from .cookie import Set
from .merge import Changes
from .merge import apply
from .merge import merge_fields
from .payload import Header
from .payload import Live
from .payload import pack_live
from .store import Record
from .values import Values

#: *new*: nothing is stored under the request's cookie. *live*: loaded. *superseded*: the cookie's
#: id was replaced by a newer one. *unavailable*: the store could not be asked.
State = t.Literal["new", "live", "superseded", "unavailable"]

#: Why a session is over. *revoked*: somebody else has ended it. *evicted*: its owner has logged in
#: elsewhere too often. *expired*. *unknown*: it has logged out, or it is long ago.
EndedReason = t.Literal["revoked", "evicted", "expired", "unknown"]


class Intent(enum.Enum):
    """What shall happen to the session at the commit."""

    #: Write what changed.
    KEEP = enum.auto()
    #: A new id for the same session; stands down if somebody else was faster.
    RENEW = enum.auto()
    #: A new id because somebody has just logged in; does not stand down.
    BIND = enum.auto()
    #: End what is there, and what replaced it. What was written afterwards is a new session.
    END = enum.auto()


class Stored(t.NamedTuple):
    """Where a session is stored and what was last seen there."""

    session_id: str
    key: str
    record: Record

    def __repr__(self) -> str:
        # Error pages and error trackers show local variables.
        return f"<Stored {self.key}>"


class Draft:
    """A session in the making.

    :param state: how the request found its session.
    :param header: as loaded, or of the session that a commit would create.
    :param stored: the record that the cookie leads to: live, or a stub. None for a new session.
    :param owner: as loaded.
    :param now: POSIX seconds at which it was loaded; None: when the header was made.
    """

    # Defaults on the class: a draft is made in every request that uses its session.

    intent: Intent = Intent.KEEP
    #: Write even if nothing seems to have changed.
    forced: bool = False
    #: This request has changed what is stored; extending its life does not count.
    written: bool = False
    #: The application has asked for a write before its answer.
    early: bool = False
    #: This request does not count as use of the session.
    passive: bool = False
    #: What cannot be written during an outage is dropped without an error.
    tolerant: bool = False
    #: The expiry was set in this request, so it may shrink.
    expiry_set: bool = False
    #: The end was asked for, so it is carried out whatever the answer's status.
    must_end: bool = False
    #: What the answer must announce about the cookie, whatever its status.
    announced: Instruction = None
    #: An id that server code chose for a session to be created.
    chosen_id: str | None = None
    #: Why the session is over that the cookie led to.
    ended_reason: EndedReason | None = None

    _flash: Values | None = None

    def __init__(
        self,
        codec: Codec,
        state: State,
        header: Header,
        *,
        stored: Stored | None = None,
        owner: str | None = None,
        values: dict[str, bytes] | None = None,
        flash: dict[str, bytes] | None = None,
        now: float | None = None,
    ) -> None:
        self.state: State = state
        self._found: State = state
        self.stored: Stored | None = stored
        self.header: Header = header
        self.base_header: Header = header
        self.owner: str | None = owner
        self.base_owner: str | None = owner
        self.values: Values = Values(
            codec, values or {}, "session", header.seen_at if now is None else now
        )
        self._codec = codec
        self._loaded_flash: dict[str, bytes] = flash or {}

    @property
    def flash(self) -> Values:
        """Flash messages, which most requests do not look at."""
        if self._flash is None:
            self._flash = Values(self._codec, self._loaded_flash, "session.flash")

        return self._flash

    @property
    def encoded_flash(self) -> dict[str, bytes]:
        """The flash messages that must be stored."""
        return self._loaded_flash if self._flash is None else self._flash.encoded()

    @property
    def unreadable_keys(self) -> set[str]:
        """Keys that this request could not decode."""
        return {*self.values.unreadable, *(self._flash.unreadable if self._flash else ())}

    @property
    def origin(self) -> Stored:
        """Where the session was found; only for a session that was."""
        if self.stored is None:
            raise LookupError("a new session is not stored anywhere")

        return self.stored

    @property
    def keeps_writes(self) -> bool:
        """Whether what is written is going to be stored if nothing else is asked for."""
        return self.state in ("new", "live") or self.intent in (Intent.BIND, Intent.END)

    @property
    def shows_data(self) -> bool:
        """Whether there is something to see.

        A request that was overtaken after it had loaded goes on with what it has seen.
        """
        return self._found in ("new", "live") or self.keeps_writes

    @property
    def was_ended(self) -> bool:
        """Whether somebody else has ended the session, and left the reason."""
        return self.ended_reason in ("revoked", "evicted")

    @property
    def lost_reason(self) -> str:
        """Why what this request writes cannot be kept."""
        return "superseded" if self.ended_reason is None else "ended"

    @property
    def binds(self) -> bool:
        """Whether a write makes the session its owner's, who has logged in."""
        by_intent = self.intent in (Intent.BIND, Intent.END)
        return self.owner is not None and (by_intent or self.owner != self.base_owner)

    @property
    def shown_state(self) -> State:
        """The state as the application sees it: what was ended in this request is new again."""
        ended = self.intent is Intent.END and self.state != "unavailable"
        return "new" if ended else self.state

    @property
    def counts_as_use(self) -> bool:
        """Whether writing what there is now makes the session live longer."""
        is_write = self.stored is not None and self.intent is Intent.KEEP
        return not (self.passive and is_write) or self.expiry_set

    @property
    def is_empty(self) -> bool:
        return not self.values.encoded() and not self.encoded_flash and self.owner is None

    def settle(self) -> None:
        self.values.settle()

        if self._flash is not None:
            self._flash.settle()

    def changed_keys(self) -> set[str]:
        """Return the names of the changed keys, those of flash messages as ``flash:name``."""
        keys = self.values.changed()
        return (
            keys
            if self._flash is None
            else keys | {f"flash:{key}" for key in self._flash.changed()}
        )

    @property
    def has_changed(self) -> bool:
        return (
            self.forced
            or self.values.current != self.values.base
            or (self._flash is not None and self._flash.current != self._flash.base)
            or self.header != self.base_header
            or self.owner != self.base_owner
        )

    def leave_stub(self, header: Header) -> None:
        """Turn what this request wrote on a superseded session into a session of its own."""
        # Something was loaded if it was live at first, and an early save found it superseded.
        self.settle()
        self.values.keep_only_changes()
        self.flash.keep_only_changes()
        self.owner = None
        self.header = header
        self.intent = Intent.BIND

    def start_afresh(self, header: Header, keep: cabc.Collection[str] = ()) -> None:
        """End what was loaded; go on with an empty session that has the new *header*.

        :param keep: keys whose values go along.
        """
        self.values.clear(keep)

        if self._flash is None:
            self._loaded_flash = {}
        else:
            self._flash.clear()

        self.header = header
        self.owner = None
        self.intent = Intent.END

    def plain_changes(self, queues: cabc.Container[str]) -> Changes | None:
        """Return the new bytes of the changed keys if they are all that is to be written.

        What takes more than bytes to merge with others' changes, this request writes itself.
        """
        header = self.header.seen(self.base_header.seen_at)
        changes = self.values.plain_changes()

        if (
            changes is None
            or not self.counts_as_use
            or header != self.base_header
            or self.owner != self.base_owner
            or self.encoded_flash != self._loaded_flash
            or any(key in queues for key in changes)
        ):
            return None

        return changes

    def pack(self, others: cabc.Iterable[Changes] = ()) -> bytes:
        """Return the payload, with what *others* have changed on top."""
        values = self.values.encoded()
        values = apply(others, values) if others else values
        return pack_live(self.header, values, self.encoded_flash)

    def rebase(self, theirs: Live, record: Record, queues: cabc.Container[str]) -> set[str]:
        """Replay this request's changes on what another request has stored in the meantime.

        :return: keys whose change could not be replayed.
        """
        failed = self.values.rebase(theirs.values, queues=queues)

        if self._flash is None:
            self._loaded_flash = theirs.flash
        else:
            failed |= self._flash.rebase(theirs.flash, keep_new=True)

        self.header = Header._make(merge_fields(self.base_header, self.header, theirs.header))
        self.base_header = theirs.header
        self.owner = record.owner if self.owner == self.base_owner else self.owner
        self.base_owner = record.owner
        self.stored = self.origin._replace(record=record)
        return failed

    def ended(self) -> None:
        """Go on as a session that does not exist yet."""
        if isinstance(self.announced, Set):
            self.announced = None

        self.state = "new"
        self.stored = None
        self.intent = Intent.KEEP
        self.must_end = False
        self.forced = False
        self.written = True

    def saved(self, stored: Stored) -> None:
        """Take the present content as what is stored now."""
        self.state = "live"
        self.ended_reason = None
        self.stored = stored
        self.base_header = self.header
        self.base_owner = self.owner
        self.values.saved()

        if self._flash is not None:
            self._flash.saved()

        self.intent = Intent.KEEP
        self.must_end = False
        self.forced = False
        self.expiry_set = False
        self.chosen_id = None
