"""Merging two requests' changes, key by key. Pure; never deeper than a top-level key."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

V = t.TypeVar("V")

#: What became of keys; None: removed.
Changes = cabc.Mapping[str, bytes | None]


def changed_keys(base: cabc.Mapping[str, V], ours: cabc.Mapping[str, V]) -> set[str]:
    """Return the keys that were added, replaced or removed between *base* and *ours*.

    >>> sorted(changed_keys({"a": 1, "b": 2}, {"b": 3, "c": 4}))
    ['a', 'b', 'c']
    """
    changed = {key for key, value in ours.items() if base.get(key) != value}
    changed.update(key for key in base if key not in ours)
    return changed


def merge(
    base: cabc.Mapping[str, V],
    ours: cabc.Mapping[str, V],
    theirs: cabc.Mapping[str, V],
    *,
    keep_new: bool = False,
) -> dict[str, V]:
    """Return *theirs* with what changed from *base* to *ours*; for each key the last writer wins.

    :param keep_new: what we removed stays if they replaced it meanwhile, as a flash message that
        was set again after we had read the old one.

    >>> merge({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 5, "c": 1})
    {'a': 2, 'b': 5, 'c': 1}
    """
    merged = dict(theirs)

    for key in changed_keys(base, ours):
        if key in ours:
            merged[key] = ours[key]
        elif not (keep_new and theirs.get(key) != base.get(key)):
            merged.pop(key, None)

    return merged


def merge_fields(
    base: cabc.Iterable[V], ours: cabc.Iterable[V], theirs: cabc.Iterable[V]
) -> list[V]:
    """Return *theirs* with those of *ours* that differ from *base*, place by place.

    >>> merge_fields((1, 1, 1), (2, 1, 2), (1, 3, 3))
    [2, 3, 2]
    """
    fields = zip(base, ours, theirs, strict=True)
    return [our if our != before else their for before, our, their in fields]


def apply(changes: cabc.Iterable[Changes], values: cabc.Mapping[str, bytes]) -> dict[str, bytes]:
    """Return *values* with *changes*, one after the other.

    >>> apply([{"a": b"1", "b": None}, {"a": b"2"}], {"b": b"1", "c": b"1"})
    {'c': b'1', 'a': b'2'}
    """
    changed = {**values}

    for each in changes:
        for key, value in each.items():
            if value is None:
                changed.pop(key, None)
            else:
                changed[key] = value

    return changed


def merge_queue(
    base: cabc.Sequence[V], ours: cabc.Sequence[V], theirs: cabc.Sequence[V]
) -> list[V]:
    """Return *theirs*, minus what we consumed, plus what we added.

    >>> merge_queue(["old"], ["ours"], ["old", "theirs"])
    ['theirs', 'ours']
    """
    added = _without(ours, base)
    consumed = _without(base, ours)
    return [*_without(theirs, consumed), *added]


def _without(items: cabc.Sequence[V], taken: cabc.Sequence[V]) -> list[V]:
    left = list(items)

    for item in taken:
        if item in left:
            left.remove(item)

    return left
