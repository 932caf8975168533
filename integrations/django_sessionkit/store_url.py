"""The URL of a store, with its password kept from the eyes of those who see the settings."""

from __future__ import annotations

import re

_hidden = re.compile(r"(?P<before>://[^/@]*?:)[^@]*(?=@)").sub


class StoreURL(str):
    """A store's URL whose ``repr`` hides the password, as Django's error pages show it.

    >>> StoreURL("redis://web:hunter2@cache:6379/0")
    'redis://web:***@cache:6379/0'
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(_hidden(r"\g<before>***", self))

    @property
    def has_password(self) -> bool:
        return _hidden("", self) != str(self)
