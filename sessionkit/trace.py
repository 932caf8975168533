"""A line for each request that says what became of its session, and why. For debugging.

Made of what signals tell and of what is seen around the reading and the commit, so that nothing is
asked of a request while it is off.
"""

from __future__ import annotations

import collections.abc as cabc
import contextvars
import logging
import typing as t

from . import signals
from .base_committer import Writer
from .cookie import Instruction
from .draft import Draft
from .errors import ConfigurationError
from .errors import PayloadTooLarge
from .errors import ValueNotSupported
from .policy import SessionPolicy
from .trace_text import Notes
from .trace_text import line
from .values import Values

if t.TYPE_CHECKING:
    from .session import Session

#: True: to the logger ``sessionkit.trace``. Or what gets each line.
Trace: t.TypeAlias = "bool | cabc.Callable[[str], object] | None"

Read = cabc.Callable[["Session"], Draft]

_logger = logging.getLogger("sessionkit")

#: Of the session that is being read, which its signals do not know yet.
_reading: contextvars.ContextVar[Notes | None] = contextvars.ContextVar(
    "sessionkit.trace", default=None
)


class Tracer:
    """Stands around what reads and what writes the sessions of a manager.

    :param tell: gets the lines.
    :param sender: the manager, who sends the signals.
    :param policy: limits.
    :param clock: returns POSIX seconds.
    :param read: loads a session.
    :param writer: writes it.
    """

    def __init__(
        self,
        tell: cabc.Callable[[str], object],
        sender: object,
        policy: SessionPolicy,
        clock: cabc.Callable[[], float],
        read: Read,
        writer: Writer,
    ) -> None:
        self._tell = tell
        self._policy = policy
        self._clock = clock
        self._read = read
        self._writer = writer
        # Held weakly: they go with the manager.
        signals.rejected.connect(self._rejected, sender=sender)
        signals.expired.connect(self._expired, sender=sender)
        signals.conflict.connect(self._conflict, sender=sender)
        signals.merged.connect(self._merged, sender=sender)
        signals.dropped.connect(self._dropped, sender=sender)
        signals.created.connect(self._created, sender=sender)
        signals.saved.connect(self._saved, sender=sender)
        signals.renewed.connect(self._renewed, sender=sender)
        signals.destroyed.connect(self._destroyed, sender=sender)

    def read(self, session: Session) -> Draft:
        """Load *session*, and note how that went."""
        notes = Notes()
        token = _reading.set(notes)

        try:
            draft = self._read(session)
        finally:
            _reading.reset(token)

        notes.found(session, draft)
        draft.values = _TracedValues(draft.values, notes)
        return draft

    def commit(self, session: object, draft: Draft, *, ok: bool) -> Instruction:
        """Commit, and tell the line of the request."""
        opened = t.cast("Session", session)
        notes = _notes_of(opened) or Notes()
        notes.about_to_commit(draft, self._gain(draft), ok=ok)

        try:
            instruction = self._writer.commit(session, draft, ok=ok)
        except (PayloadTooLarge, ValueNotSupported) as error:
            # The manager calls once more, for a wish to end the session; the line comes then.
            notes.failure = type(error).__name__
            raise
        except Exception as error:
            notes.failure = type(error).__name__
            self._say(line(notes, opened, draft, getattr(error, "instruction", None)))
            raise

        self._say(line(notes, opened, draft, instruction))
        return instruction

    def save(self, session: object, draft: Draft) -> bool:
        """Write now; the line comes with the commit."""
        return self._writer.save(session, draft)

    def _gain(self, draft: Draft) -> float | None:
        """Return by which part of its idle time a session would live longer if it was written."""
        if draft.state != "live" or draft.stored is None:
            return None

        expires_at = self._policy.expires_at(draft.header, draft.owner, self._clock())
        gained = expires_at - draft.stored.record.expires_at
        return max(0.0, gained / self._policy.idle_limit(draft.header, draft.owner))

    def _say(self, text: str) -> None:
        try:
            self._tell(text)
        except Exception as error:  # noqa: BLE001  # somebody else's code
            _logger.error("the trace raised %s", type(error).__name__)

    def _rejected(self, sender: object, *, reason: str, **_: object) -> None:
        if (notes := _reading.get()) is not None:
            notes.refused.append(reason)

    def _expired(self, sender: object, **_: object) -> None:
        if (notes := _reading.get()) is not None:
            notes.refused.append("expired")

    def _conflict(self, sender: object, *, session: Session, **_: object) -> None:
        if (notes := _notes_of(session)) is not None:
            notes.lost_swap(session.draft)

    def _merged(self, sender: object, *, session: Session, keys: set[str]) -> None:
        if (notes := _notes_of(session)) is not None:
            notes.merged(session.draft, keys)

    def _dropped(self, sender: object, *, session: Session, keys: set[str], reason: str) -> None:
        if (notes := _notes_of(session)) is not None:
            notes.dropped.append((keys, reason))

    def _created(self, sender: object, *, session: Session, keys: set[str], **_: object) -> None:
        if (notes := _notes_of(session)) is not None:
            notes.wrote("created", keys, session.draft)

    def _saved(self, sender: object, *, session: Session, keys: set[str], reason: str) -> None:
        if (notes := _notes_of(session)) is not None:
            notes.wrote(reason, keys, session.draft)

    def _renewed(
        self, sender: object, *, session: Session, keys: set[str], owner_changed: bool, **_: object
    ) -> None:
        if (notes := _notes_of(session)) is not None:
            notes.wrote("owner changed" if owner_changed else "renewed", keys, session.draft)

    def _destroyed(self, sender: object, *, session: Session | None, reason: str) -> None:
        if session is not None and (notes := _notes_of(session)) is not None:
            notes.ended = reason


class _TracedValues(Values):
    """Values that note what is done with them.

    :param values: taken over, with all that was done with them before.
    """

    def __init__(self, values: Values, notes: Notes) -> None:
        self.__dict__.update(vars(values))
        self.notes = notes

    def get(self, key: str) -> t.Any:
        value = super().get(key)
        self.notes.read.setdefault(key, len(self.current[key]))
        return value

    def put(self, key: str, value: t.Any, until: float | None = None) -> None:
        super().put(key, value, until)
        self.notes.assigned.add(key)

    def settle(self) -> None:
        before = self.current.copy()
        super().settle()
        self.notes.inside |= {
            key for key, value in self.current.items() if before.get(key) != value
        }


def _notes_of(session: Session) -> Notes | None:
    draft = session.loaded_draft
    values = None if draft is None else draft.values
    return values.notes if isinstance(values, _TracedValues) else None


def checked_trace(trace: object) -> Trace:
    """Return *trace* if it says who gets the lines.

    :raises ConfigurationError: if it does not.
    """
    if not callable(trace) and not isinstance(trace, bool | None):
        raise ConfigurationError(
            "trace must be True, for the logger 'sessionkit.trace', or a function that gets a line "
            f"of text, not {type(trace).__name__}"
        )

    return trace


def sink(trace: Trace) -> cabc.Callable[[str], object] | None:
    """Return what gets the lines; None: nobody.

    :raises ConfigurationError: if *trace* is nothing of the kind.
    """
    checked = checked_trace(trace)
    return _shown_logger().debug if checked is True else checked or None


def _shown_logger() -> logging.Logger:
    """Return the logger; unless it is set up otherwise, it writes to standard error."""
    logger = logging.getLogger("sessionkit.trace")

    if logger.level == logging.NOTSET:
        logger.setLevel(logging.DEBUG)

    if not _is_shown(logger):
        logger.addHandler(logging.StreamHandler())

    return logger


def _is_shown(logger: logging.Logger) -> bool:
    current: logging.Logger | None = logger

    while current is not None:
        if any(handler.level <= logging.DEBUG for handler in current.handlers):
            return True

        current = current.parent if current.propagate else None

    return False
