"""What a request did to values, in a form that can be done again on what others have stored."""

from __future__ import annotations

import collections.abc as cabc
import logging
import typing as t

from .codec import Codec
from .errors import DecodeError
from .expiring import is_over
from .expiring import split
from .merge import changed_keys
from .merge import merge
from .merge import merge_queue

_logger = logging.getLogger("sessionkit")

Encoded = dict[str, bytes]


class Mutation(t.NamedTuple):
    """A pure function of a stored value, for :meth:`Session.mutate`."""

    function: cabc.Callable[[t.Any], t.Any]
    #: What the function gets where there is no value, as the codec's bytes.
    default: bytes


class Replay:
    """The changes of one request that are more than new bytes.

    :param place: how errors call the mapping, such as ``session``.
    :param now: POSIX seconds, by which values that expire by themselves are judged.
    """

    def __init__(self, codec: Codec, place: str, now: float) -> None:
        self._codec = codec
        self._place = place
        self._now = now
        #: In order, by key.
        self.mutations: dict[str, list[Mutation]] = {}
        #: What a conversion has made of each key; None: removed.
        self.converted: dict[str, bytes | None] = {}

    def forget(self, key: str) -> None:
        """Take what *key* has now for a plain change."""
        self.mutations.pop(key, None)
        self.converted.pop(key, None)

    def merge(
        self,
        base: Encoded,
        ours: Encoded,
        theirs: Encoded,
        *,
        queues: cabc.Container[str] = (),
        keep_new: bool = False,
    ) -> tuple[Encoded, set[str]]:
        """Return *theirs* with what this request has changed from *base* to *ours*.

        :param queues: keys whose lists are merged item by item.
        :param keep_new: see :func:`sessionkit.merge.merge`.
        :return: and the keys whose mutation raised on the fresh value; their change is given up.
        """
        merged = merge(base, ours, theirs, keep_new=keep_new)
        failed: set[str] = set()

        for key, mutations in [*self.mutations.items()]:
            try:
                merged[key] = self._mutated(key, mutations, theirs)
            except Exception as error:  # noqa: BLE001  # the application's function, run again
                # Its text may quote the value.
                _logger.warning(
                    "what mutate() was given for %r raised %s on what another request has stored; "
                    "this change is given up",
                    key,
                    type(error).__name__,
                )
                failed.add(key)
                del self.mutations[key]
                _restore(key, theirs, merged)

        for key in changed_keys(base, ours):
            if key in queues and key not in self.mutations:
                self._merge_queue(key, base, ours, theirs, merged)

        self._give_way(base, ours, theirs, merged)
        return merged, failed

    def _mutated(self, key: str, mutations: list[Mutation], theirs: Encoded) -> bytes:
        moment, encoded = split(theirs.get(key, b""))

        if not encoded or is_over(moment, self._now):
            moment, encoded = b"", mutations[0].default

        value = self._codec.decode(encoded)

        for mutation in mutations:
            value = mutation.function(value)

        return moment + self._codec.encode(value, self._place, key)

    def _merge_queue(
        self, key: str, base: Encoded, ours: Encoded, theirs: Encoded, merged: Encoded
    ) -> None:
        try:
            lists = [
                self._codec.decode(values[key]) if key in values else []
                for values in (base, ours, theirs)
            ]
        except DecodeError:
            return

        if not all(type(items) is list for items in lists):
            return

        # As bytes, since 1 equals True, and NaN not even itself.
        before, here, there = ([self._codec.encode(item, key) for item in part] for part in lists)
        items = [self._codec.decode(item) for item in merge_queue(before, here, there)]

        if items:
            merged[key] = self._codec.encode(items, self._place, key)
        else:
            merged.pop(key, None)

    def _give_way(self, base: Encoded, ours: Encoded, theirs: Encoded, merged: Encoded) -> None:
        """Take back a conversion if others have changed what was converted."""
        if all(theirs.get(key) == base.get(key) for key in self.converted):
            return

        for key, converted in self.converted.items():
            if ours.get(key) == converted:
                _restore(key, theirs, merged)


def _restore(key: str, theirs: Encoded, merged: Encoded) -> None:
    if key in theirs:
        merged[key] = theirs[key]
    else:
        merged.pop(key, None)
