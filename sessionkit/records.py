"""What is written: records of sessions and of stubs, and the cookies that go with them."""

from __future__ import annotations

import collections.abc as cabc

from .cookie import MAX_AGE_LIMIT
from .cookie import Set
from .draft import Draft
from .draft import EndedReason
from .draft import Stored
from .errors import DecodeError
from .errors import NewerFormat
from .errors import PayloadTooLarge
from .merge import Changes
from .payload import Live
from .payload import Stub
from .payload import is_no_stub
from .payload import pack_stub
from .payload import unpack
from .policy import SessionPolicy
from .store import Record
from .tokens import Randomness
from .tokens import digest


class Records:
    """Makes records from drafts.

    :param policy: limits.
    :param sign: turns an id into the cookie's value.
    :param randomness: draws ids and versions.
    """

    def __init__(
        self, policy: SessionPolicy, sign: cabc.Callable[[str], str], randomness: Randomness
    ) -> None:
        self._policy = policy
        self._sign = sign
        self._randomness = randomness

    def draw(self, draft: Draft, now: float) -> tuple[Stored, Set]:
        """Make a record under a new id, and the cookie that goes with it."""
        drawn = self._randomness.identity()
        session_id = draft.chosen_id or drawn.session_id

        if not draft.header.public_id:
            draft.header = draft.header.named(drawn.public_id)

        instruction = self.announce(draft, session_id, now)
        record = self.record(draft, drawn.first_version, now)
        self.check_size(draft, record)
        return Stored(session_id, digest(session_id), record), instruction

    def announce(self, draft: Draft, session_id: str, now: float) -> Set:
        max_age = self._policy.max_age(draft.header, now)
        promised = None if max_age is None else now + max_age
        draft.header = draft.header.promised(promised)
        return Set(self._sign(session_id), max_age)

    def announce_again(self, draft: Draft, session_id: str, now: float) -> Set | None:
        """Return the same cookie anew if its lifetime was changed, if the browser would forget it
        before the session ends, or, for a session without an end, if half of its lifetime is over.
        A new id sends it anyway."""
        policy = self._policy
        promised = draft.base_header.promised_until
        needed = min(policy.deadline(draft.header), now + MAX_AGE_LIMIT / 2)

        # What was promised was cut to whole seconds.
        if policy.is_transient(draft.header) != (promised is None) or (
            promised is not None and promised + 1 <= needed
        ):
            return self.announce(draft, session_id, now)

        return None

    def record(
        self, draft: Draft, version: int, now: float, others: cabc.Collection[Changes] = ()
    ) -> Record:
        if draft.counts_as_use and draft.header.seen_at != now:
            draft.header = draft.header.seen(now)

        expires_at = self._policy.expires_at(draft.header, draft.owner, draft.header.seen_at)
        return Record(draft.pack(others), version, expires_at, draft.owner)

    def check_size(self, draft: Draft, record: Record) -> None:
        size = len(record.payload)

        if size > self._policy.max_payload:
            raise PayloadTooLarge(size, self._policy.max_payload, largest_keys(draft))

    def ended(self, old: Record, reason: EndedReason, now: float) -> Record:
        """Make the stub that says why a session is over: no data, no owner and no successor."""
        payload = pack_stub(Stub(reason, None, {}))
        return Record(payload, old.version + 1, now + self._policy.ended_timeout)

    def stub(self, draft: Draft, successor: str, now: float) -> Record:
        old = draft.origin.record
        tokens: dict[str, bytes] = {}

        if self._policy.form_tokens and (content := content_of(old)) is not None:
            names = content.values.keys() & set(self._policy.form_tokens)
            tokens = {key: content.values[key] for key in names}

        payload = pack_stub(Stub("renewed", successor, tokens))
        return Record(payload, old.version + 1, now + self._policy.stub_timeout)


def largest_keys(draft: Draft) -> list[tuple[str, int]]:
    """Return the three keys with the most bytes and their sizes, the largest first."""
    sizes = {key: len(value) for key, value in draft.values.encoded().items()}
    sizes |= {f"flash:{key}": len(value) for key, value in draft.encoded_flash.items()}
    return sorted(sizes.items(), key=lambda item: -item[1])[:3]


def no_shorter(draft: Draft, old: Record, record: Record) -> Record:
    """Keep a process with a slow clock from shortening a life."""
    if draft.expiry_set:
        return record

    return record._replace(expires_at=max(record.expires_at, old.expires_at))


def content_of(record: Record) -> Live | Stub | None:
    try:
        return unpack(record.payload)
    except DecodeError:
        return None


def is_stub(record: Record) -> bool:
    if is_no_stub(record.payload):
        return False

    try:
        return isinstance(content_of(record), Stub)
    except NewerFormat:
        return False


def ended_reason(stub: Stub) -> EndedReason | None:
    """Return why a session is over; None if it goes on under another id."""
    if stub.successor is not None:
        return None

    # Later versions may know more reasons.
    known: dict[str, EndedReason] = {"revoked": "revoked", "evicted": "evicted"}
    return known.get(stub.reason, "unknown")


def successor_of(record: Record) -> str | None:
    if is_no_stub(record.payload):
        return None

    try:
        content = content_of(record)
    except NewerFormat:
        return None

    return content.successor if isinstance(content, Stub) else None
