"""The values of one session during one request: encoded bytes, decoded one key at a time."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import math
import typing as t

from .codec import IMMUTABLE
from .codec import Codec
from .errors import DecodeError
from .errors import ValueNotSupported
from .expiring import expiring
from .expiring import is_expiring
from .expiring import is_over
from .expiring import split
from .expiring import until
from .in_place import refresh
from .merge import Changes
from .merge import changed_keys
from .replay import Mutation
from .replay import Replay


def check_key(key: object) -> None:
    """Raise an error that says why *key* cannot be one of a session; not only at the commit."""
    if type(key) is not str:
        raise TypeError(f"keys of a session are text, not {type(key).__name__}")

    if not key.isascii():
        try:
            key.encode()
        except UnicodeEncodeError:
            raise ValueNotSupported("a session's key", "it contains lone surrogates") from None


class Values:
    """Encoded values by key, and what this request did to them.

    ``base`` is what was loaded, ``current`` what would be saved. A value that can change inside is
    remembered when it is handed out or assigned, and encoded again by :meth:`settle`: that is how
    nested changes are found without a flag and without comparing objects.

    :param base: codec bytes by key, as loaded.
    :param place: how errors call this mapping, such as ``session``.
    :param now: POSIX seconds, by which values that expire by themselves are judged.
    """

    #: What cannot be told from the bytes: made when it is needed, which is seldom.
    _replay: Replay | None = None

    def __init__(
        self, codec: Codec, base: dict[str, bytes], place: str, now: float = math.inf
    ) -> None:
        self._codec = codec
        self._place = place
        self._now = now
        self._handed_out: dict[str, t.Any] = {}
        #: Defaults that were handed out for absent keys, with their bytes at that time.
        self._offered: dict[str, tuple[t.Any, bytes]] = {}
        self.base: dict[str, bytes] = base
        self.current: dict[str, bytes] = base.copy()
        #: What could not be decoded: absent for this request, and stored again as it is.
        self.unreadable: dict[str, bytes] = {}

    def get(self, key: str) -> t.Any:
        """Return the value of *key*.

        :raises KeyError: if there is none, or none that can be decoded. Its bytes are kept for
            those who can.
        """
        if key in self._offered:
            self._adopt(key)

        if key in self._handed_out:
            return self._handed_out[key]

        encoded = self.current[key]

        try:
            value = self._codec.decode(encoded)
        except DecodeError:
            value = self._decode_expiring(key, encoded)

        if type(value) not in IMMUTABLE:
            self._handed_out[key] = value

        return value

    def offer(self, key: str, make_default: cabc.Callable[[], t.Any]) -> t.Any:
        """Return a default that becomes the value of *key* only if it is changed inside."""
        if key not in self._offered:
            value = make_default()
            self._offered[key] = value, self._codec.encode(value, self._place, key)

        return self._offered[key][0]

    def put(self, key: str, value: t.Any, until: float | None = None) -> None:
        """Encode and keep *value*; raise ``ValueNotSupported`` if that would change it.

        :param until: the POSIX time from which it is absent.
        """
        self.update({key: value})

        if until is not None:
            self.current[key] = expiring(self.current[key], until)

    def update(self, values: cabc.Mapping[str, t.Any]) -> None:
        """:meth:`put` all of *values*, or those before one that cannot be kept."""
        encode, place, current, handed_out = (
            self._codec.encode,
            self._place,
            self.current,
            self._handed_out,
        )
        knows_more = self._offered or self.unreadable or self._replay is not None

        for key, value in values.items():
            if type(key) is not str or not key.isascii():
                check_key(key)

            encoded = encode(value, place, key)

            if knows_more:
                self._forget(key)

            current[key] = encoded

            if type(value) not in IMMUTABLE:
                handed_out[key] = value
            elif handed_out:
                handed_out.pop(key, None)

    def convert(self, values: cabc.Mapping[str, t.Any], removed: cabc.Collection[str]) -> None:
        """Put *values* in the place of the *removed*: the same data in another form.

        All of it or, if a value cannot be encoded, nothing. If another request has changed any of
        it meanwhile, that stays: only what holds the data has changed here, not the data.
        """
        encoded = {
            key: self._codec.encode(value, self._place, key) for key, value in values.items()
        }

        for key in removed:
            self.discard(key)

        for key, value in values.items():
            self.put(key, value)

        self._replayed().converted |= {**dict.fromkeys(removed), **encoded}

    def remove(self, key: str) -> None:
        if key in self._offered:
            self._adopt(key)

        del self.current[key]
        self._forget(key)

    def discard(self, key: str) -> None:
        self._forget(key)
        self.current.pop(key, None)

    def keep_only_changes(self) -> None:
        """Forget what was loaded and not changed."""
        for key in self.current.keys() - self.changed():
            self.discard(key)

        self.base = {}

    def readable_keys(self) -> list[str]:
        """Return the keys whose values can be decoded."""
        return [key for key in self.known_keys() if self.has(key)]

    def known_keys(self) -> list[str]:
        """Return the keys that may have a value, without decoding any."""
        return [*dict.fromkeys([*self.current, *self._offered])]

    def has(self, key: str) -> bool:
        try:
            self.get(key)
        except KeyError:
            return False

        return True

    def mutate(self, key: str, function: cabc.Callable[[t.Any], t.Any], default: t.Any) -> t.Any:
        """Replace the value of *key* by *function* of it, in such a way that it can be replayed."""
        self.settle()
        # On top of a plain change of ours, the function's result is just another plain change.
        mutations = self._replay.mutations.get(key, []) if self._replay is not None else []
        replayable = mutations or self.base.get(key) == self.current.get(key)
        # A function that changes its argument must not change the caller's default.
        encoded_default = self._codec.encode(default, self._place, key)
        value = function(self.get(key) if self.has(key) else self._codec.decode(encoded_default))
        self.put(key, value, self.until(key))

        if replayable:
            mutation = Mutation(function, encoded_default)
            self._replayed().mutations[key] = [*mutations, mutation]

        return value

    def clear(self, keep: cabc.Collection[str] = ()) -> None:
        """Forget everything, also what was loaded: the rest of the request starts afresh.

        :param keep: keys that stay, as if they had been assigned now.
        """
        for key in self._offered.keys() & {*keep}:
            self._adopt(key)

        self.current = {key: value for key, value in self.current.items() if key in keep}
        self._handed_out = {key: value for key, value in self._handed_out.items() if key in keep}
        self._offered.clear()
        self._replay = None
        self.unreadable.clear()
        self.base = {}

    def settle(self) -> None:
        """Bring ``current`` up to date with changes inside of values that were handed out."""
        if self._offered:
            for key in [*self._offered]:
                self._adopt(key)

        for key, value in self._handed_out.items():
            moment, before = split(self.current[key])
            encoded = self._codec.encode(value, self._place, key, before)

            if encoded != before:
                self.current[key] = moment + encoded

                if self._replay is not None:
                    self._replay.mutations.pop(key, None)

    def changed(self) -> set[str]:
        """Return the keys that differ from what was loaded, as of the last :meth:`settle`."""
        return set() if self.current == self.base else changed_keys(self.base, self.current)

    def plain_changes(self) -> Changes | None:
        """Return the new bytes of the changed keys; None if there is more to replay than bytes."""
        replay = self._replay

        if replay is not None and (replay.mutations or replay.converted):
            return None

        return {key: self.current.get(key) for key in self.changed()}

    def encoded(self) -> dict[str, bytes]:
        """Return everything that must be stored."""
        return {**self.unreadable, **self.current} if self.unreadable else self.current

    def saved(self) -> None:
        """Take ``current`` as what is stored now."""
        self.base = self.current.copy()
        self._replay = None

    def rebase(
        self, theirs: dict[str, bytes], *, queues: cabc.Container[str] = (), keep_new: bool = False
    ) -> set[str]:
        """Replay this request's changes on what another request has stored.

        :param queues: keys whose lists are merged item by item.
        :param keep_new: see :func:`sessionkit.merge.merge`.
        :return: keys whose mutation raised on the fresh value; their change is given up.
        """
        self.settle()
        merged, failed = self._replayed().merge(
            self.base, self.current, theirs, queues=queues, keep_new=keep_new
        )

        # Somebody else has put a value there, which the default shows from now on.
        for key in self._offered.keys() & (merged.keys() - self.base.keys()):
            self._handed_out[key] = self._offered.pop(key)[0]

        self.base = theirs
        self.current = merged
        self.unreadable.clear()
        self._handed_out = refresh(self._handed_out, merged, self._codec)
        return failed

    def until(self, key: str) -> float | None:
        """Return the POSIX time from which the value of *key* is absent; None: it does not expire.

        :raises DecodeError: if that is cut off.
        """
        encoded = self.current.get(key, b"")
        return until(encoded) if is_expiring(encoded) else None

    def _decode_expiring(self, key: str, encoded: bytes) -> t.Any:
        """Decode what is no plain value.

        :raises KeyError: if it is over, or cannot be decoded.
        """
        moment, rest = split(encoded)

        if moment:
            with contextlib.suppress(DecodeError):
                value = self._codec.decode(rest)

                if not is_over(moment, self._now):
                    return value

                # It goes with the next write.
                self._hide(key)
                raise KeyError(key)

        # Somebody else may be able to read it.
        self.unreadable[key] = encoded
        self._hide(key)
        raise KeyError(key)

    def _hide(self, key: str) -> None:
        """Let *key* be absent in this request, which is no change of its own."""
        del self.current[key]
        self.base = {name: value for name, value in self.base.items() if name != key}

    def _adopt(self, key: str) -> None:
        """Take an offered default as the value of *key* if it was changed inside."""
        value, before = self._offered[key]

        if self._codec.encode(value, self._place, key) != before:
            self.put(key, value)

    def _forget(self, key: str) -> None:
        self._handed_out.pop(key, None)
        self._offered.pop(key, None)
        self.unreadable.pop(key, None)

        if self._replay is not None:
            self._replay.forget(key)

    def _replayed(self) -> Replay:
        if self._replay is None:
            self._replay = Replay(self._codec, self._place, self._now)

        return self._replay
