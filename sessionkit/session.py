"""The session as a request sees it: a mapping, facts about it, and the wishes of its user."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import typing as t

from .devices import description
from .draft import Draft
from .draft import Intent
from .errors import ConfigurationError
from .facts import SessionFacts
from .policy import seconds
from .store import is_owner

#: Until when a session lives: seconds without use, a fixed moment, or None for the policy's limits.
Expiry = float | datetime.timedelta | datetime.datetime | None


class Session(SessionFacts):
    """A mapping of text to values that is loaded when it is first used, and saved at the commit.

    Made by :meth:`SessionManager.open`. Changes inside of values are noticed. Methods only record
    what shall happen; the commit does it, when the application has returned its answer.

    >>> from sessionkit import SessionManager
    >>> from sessionkit.stores.memory import MemoryStore
    >>> session = SessionManager(MemoryStore()).open()
    >>> session["cart"] = []
    >>> session["cart"].append("tea")
    >>> session["cart"]
    ['tea']
    """

    #: For whom this request may log in; asked once.
    _admitted: str | None = None

    def clear(self) -> None:
        """End the session. What is written afterwards is a new session under a new id.

        Deleting the keys one by one keeps the session instead, even when it is empty.
        """
        self.destroy()

    @property
    def modified(self) -> bool:
        """Whether a commit would write; after it, whether this request has written.

        Set it to True to have the commit write in any case.
        """
        if self.loaded_draft is None:
            return False

        if self.committed:
            return self.loaded_draft.written

        self.loaded_draft.settle()
        return self.loaded_draft.has_changed or self.loaded_draft.intent is not Intent.KEEP

    @modified.setter
    def modified(self, value: bool) -> None:
        if value:
            self._write().forced = True
        elif self.loaded_draft is not None:
            self.loaded_draft.forced = False

    @property
    def permanent(self) -> bool:
        """Whether the browser keeps the cookie when it is closed. Setting it sends the cookie."""
        return not self.manager.policy.is_transient(self._read().header)

    @permanent.setter
    def permanent(self, value: bool) -> None:
        if value != self.permanent:
            draft = self._write()
            draft.header = draft.header._replace(transient=not value)

    def set_expiry(self, expiry: Expiry) -> None:
        """Give this session a life of its own, within the policy's absolute limit.

        :param expiry: seconds or ``timedelta``: so long without use. An aware ``datetime``: at that
            moment, used or not. None: as the policy says.
        :raises ConfigurationError: if it is none of these, or is over.
        """
        idle: float | None = None
        until: float | None = None

        if isinstance(expiry, datetime.datetime):
            if expiry.tzinfo is None:
                raise ConfigurationError("the expiry must have a time zone, such as UTC")

            until = expiry.timestamp()

            if until <= self.manager.clock():
                raise ConfigurationError("the expiry is over; to end a session call destroy()")
        else:
            idle = seconds(expiry, "the expiry")

        draft = self._write()
        draft.header = draft.header._replace(idle=idle, until=until)
        draft.expiry_set = True

    def save(self) -> bool:
        """Write now, and go on.

        A new session is created even if it is empty. What was written is announced to the browser
        whatever becomes of the request.

        :return: False if nothing was saved, since the session was ended or replaced elsewhere.
        :raises StoreUnavailable: if the session is unavailable.
        :raises SessionConflict: if others kept changing it.
        """
        self._require_store()
        self._write()
        return self.manager.save(self)

    def renew(self) -> None:
        """Give the session a new id at the commit, as at every change of privilege.

        Does nothing for a session that was replaced already: its new id goes to the browser with
        the other request's answer.

        :raises StoreUnavailable: if the session is unavailable.
        """
        self._require_store()
        draft = self._write()

        if draft.intent is Intent.KEEP and draft.state != "superseded":
            draft.intent = Intent.RENEW

    def bind(
        self,
        owner: str | int,
        *,
        keep: cabc.Collection[str] = (),
        label: str | None = None,
        address: str | None = None,
        user_agent: str | None = None,
        **meta: t.Any,
    ) -> None:
        """Make the session *owner*'s: somebody has logged in. The id is renewed.

        The data of a session that was nobody's stays. That of another owner is dropped, except for
        what is assigned after this call.

        :param owner: 1 to 255 printable characters; a number is taken as text.
        :param keep: keys that stay although they are another owner's.
        :param label: a name for the list of the owner's sessions; 100 characters are kept.
        :param address: from where it is; ``**device_of(environ)`` of :mod:`sessionkit.devices`
            gives this and the next.
        :param user_agent: with what; 256 characters are kept.
        :param meta: other small values for that list.
        :raises ConfigurationError: if *owner* cannot be one, or a label, address or user agent is
            no text.
        :raises StoreUnavailable: if the session is unavailable.
        :raises TooManySessions: as :meth:`check_limit`; nothing has happened then.
        """
        name = _checked_owner(owner)
        meta |= description({"label": label, "address": address, "user_agent": user_agent})
        packed = self._packed(meta)
        self._require_store()
        draft = self._write()
        self.check_limit(name)
        previous = draft.owner

        if previous not in (None, name):
            draft.start_afresh(self.manager.new_header(), keep)
        elif draft.state == "superseded" and draft.intent is Intent.KEEP:
            draft.leave_stub(self.manager.new_header())
        elif draft.intent is not Intent.END:
            draft.intent = Intent.BIND

        if previous != name:
            self._drop_form_tokens(draft)

        draft.owner = name
        draft.header = draft.header._replace(started_at=self.manager.clock(), meta=packed)

    def check_limit(self, owner: str | int) -> None:
        """Raise if *owner* has as many other sessions as the policy allows, and refuses more.

        :meth:`bind` does so by itself. Here a login page can ask before it asks for a password.

        :raises TooManySessions: with ``policy.at_limit="refuse"``.
        :raises StoreUnavailable: if the sessions cannot be listed.
        """
        name = _checked_owner(owner)

        if self.manager.policy.at_limit == "refuse" and self._admitted != name:
            self.manager.check_limit(name, self)
            self._admitted = name

    def describe(
        self,
        *,
        label: str | None = None,
        address: str | None = None,
        user_agent: str | None = None,
        **meta: t.Any,
    ) -> None:
        """Add to what :meth:`bind` was given for the list of the owner's sessions.

        :param label: a name, such as one that its user has chosen. None: as it is.
        :param address: None: as it is.
        :param user_agent: None: as it is.
        :param meta: other small values.
        :raises ConfigurationError: if a label, address or user agent is no text.
        """
        meta |= description({"label": label, "address": address, "user_agent": user_agent})
        draft = self._write()
        packed = self._packed({**self.manager.meta_of(draft.header), **meta})
        draft.header = draft.header._replace(meta=packed)

    def _packed(self, meta: dict[str, t.Any]) -> bytes | None:
        return self.manager.codec.encode(meta, "meta") if meta else None

    def _drop_form_tokens(self, draft: Draft) -> None:
        written = draft.values.changed()

        for key in self.manager.policy.form_tokens:
            if key not in written:
                draft.values.discard(key)

    def unbind(self, *, keep: cabc.Collection[str] = ()) -> None:
        """Make the session nobody's: log out, but keep flash messages and form tokens.

        Ends what there was as :meth:`destroy` does; what is kept goes to a new id.

        :param keep: other keys that stay.
        """
        draft = self._end()
        draft.settle()
        policy = self.manager.policy
        messages = dict(draft.encoded_flash)
        kept = {*policy.form_tokens, *policy.queues, *keep}
        draft.start_afresh(self.manager.new_header(), kept)
        draft.flash.current.update(messages)

    def destroy(self) -> None:
        """End the session at the commit, whatever the answer's status, and delete its cookie.

        If the cookie's id has been replaced, what replaced it is ended too. What is written after
        this call is a new session under a new id.
        """
        self._end().start_afresh(self.manager.new_header())

    def _end(self) -> Draft:
        # Even when the store is out of reach: the wish to end is carried out as far as possible.
        self._ended = True
        draft = self._write()
        draft.must_end = True
        return draft


def _checked_owner(owner: str | int) -> str:
    if isinstance(owner, bool) or not isinstance(owner, (str, int)):
        raise ConfigurationError(f"an owner must be text or a number, not {type(owner).__name__}")

    name = str(owner)

    if not is_owner(name):
        raise ConfigurationError("an owner must be 1 to 255 printable characters")

    return name
