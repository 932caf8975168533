"""Flash messages: values for the next request that reads them."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .values import Values
from .values import check_key


class Flash:
    """Values by key that vanish when they are read.

    A request that does not read them does not use them up. ``flash[key]``, ``get`` and ``items``
    read; ``in``, ``len``, ``peek`` and iterating over the keys do not.

    >>> from sessionkit import SessionManager
    >>> from sessionkit.stores.memory import MemoryStore
    >>> session = SessionManager(MemoryStore()).open()
    >>> session.flash["saved"] = {"name": "report", "pages": 3}
    >>> session.flash.peek("saved")
    {'name': 'report', 'pages': 3}
    >>> session.flash["saved"]["pages"]
    3
    >>> "saved" in session.flash
    False
    """

    def __init__(
        self, readable: cabc.Callable[[], Values], writable: cabc.Callable[[], Values]
    ) -> None:
        self._readable = readable
        self._writable = writable
        self._now: dict[str, t.Any] = {}
        self._consumed: dict[str, t.Any] = {}

    def __getitem__(self, key: str) -> t.Any:
        if key in self._now:
            return self._now.pop(key)

        value = self._readable().get(key)
        self._writable().remove(key)
        self._consumed[key] = value
        return value

    def __setitem__(self, key: str, value: t.Any) -> None:
        check_key(key)
        self._writable().put(key, value)
        self._consumed.pop(key, None)

    def __delitem__(self, key: str) -> None:
        if key in self._now:
            del self._now[key]
        else:
            self._readable().get(key)
            self._writable().remove(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and (key in self._now or self._readable().has(key))

    def __iter__(self) -> cabc.Iterator[str]:
        return iter([*dict.fromkeys([*self._now, *self._readable().readable_keys()])])

    def __len__(self) -> int:
        return len([*iter(self)])

    def __repr__(self) -> str:
        return "<Flash>"

    def get(self, key: str, default: t.Any = None) -> t.Any:
        """Return the value of *key* and remove it, or return *default*."""
        try:
            return self[key]
        except KeyError:
            return default

    def items(self) -> list[tuple[str, t.Any]]:
        """Return all keys with their values, and remove them."""
        return [(key, self[key]) for key in self]

    def peek(self, key: str, default: t.Any = None) -> t.Any:
        """Return the value of *key* and leave it, or *default*."""
        if key in self._now:
            return self._now[key]

        return self._readable().get(key) if self._readable().has(key) else default

    def now(self, key: str, value: t.Any) -> None:
        """Show *value* in this request only; nothing is stored."""
        check_key(key)
        self._now[key] = value

    def keep(self, *keys: str) -> None:
        """Put back what this request has read: the *keys*, or everything.

        Keys that were not read are left alone.
        """
        for key in keys or tuple(self._consumed):
            if key in self._consumed:
                self._writable().put(key, self._consumed.pop(key))
