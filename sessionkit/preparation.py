"""The careful way to encode: slow, sees everything, and knows the place of what it refuses."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import ormsgpack

from . import extension_types as ext
from .custom_types import CustomType
from .errors import ValueNotSupported
from .refusal import Unstorable
from .refusal import key_path
from .refusal import lazy_text
from .refusal import problem_with
from .refusal import type_name

#: How many containers may stand inside each other.
MAX_DEPTH: t.Final = 100

_NATIVE = frozenset({type(None), bool, float, bytes})
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


class Preparation:
    """Rebuilds one value from nothing but what MessagePack has.

    Used when the fast way fails: for keys that are not str, for lazy texts, for sets of
    containers, and to find what is wrong and where. Makes the same bytes as the fast way.

    :param custom: the registered types by class.
    """

    def __init__(self, custom: cabc.Mapping[type, CustomType]) -> None:
        self._custom = custom
        self._around: set[int] = set()
        self._builders: dict[type, cabc.Callable[[t.Any, str], t.Any]] = {
            list: self._list,
            tuple: self._tuple,
            set: self._set,
            frozenset: self._set,
            dict: self._dict,
        }

    def prepare(self, value: t.Any, path: str) -> t.Any:
        """Return what to pack for *value*.

        :raises ValueNotSupported: with the place of what cannot be stored.
        """
        kind: type[t.Any] = type(value)
        try:
            if kind is str:
                value.encode()
                return value
            if kind in _NATIVE or (kind is int and _SMALLEST <= value <= _LARGEST):
                return value
            if kind in ext.DUMP:
                return ext.DUMP[kind](value)
            build = self._builders.get(kind)
            if build is None and kind in self._custom:
                build = self._custom_type
            if build is not None:
                return self._inside(value, path, build)
            text = lazy_text(value)
        except Unstorable as error:
            raise ValueNotSupported(path, error.problem) from error.__cause__
        except UnicodeEncodeError:
            raise ValueNotSupported(
                path, f"the {type_name(kind)} holds a lone surrogate, which is no character"
            ) from None
        if text is None:
            raise ValueNotSupported(path, problem_with(kind))
        return self.prepare(text, path)

    def _inside(self, value: t.Any, path: str, build: cabc.Callable[[t.Any, str], t.Any]) -> t.Any:
        identity = id(value)
        if identity in self._around:
            raise ValueNotSupported(path, "it contains itself")
        if len(self._around) == MAX_DEPTH:
            raise ValueNotSupported(
                f"{path[:100]}...", f"it is nested deeper than {MAX_DEPTH} levels"
            )
        self._around.add(identity)
        built = build(value, path)
        self._around.remove(identity)
        return built

    def _list(self, value: list[t.Any], path: str) -> list[t.Any]:
        return [self.prepare(item, f"{path}[{index}]") for index, item in enumerate(value)]

    def _tuple(self, value: t.Any, path: str) -> list[t.Any]:
        return [ext.TUPLE, *self._list(value, path)]

    def _set(self, value: t.Any, path: str) -> list[t.Any]:
        kind: type[t.Any] = type(value)
        items = [self.prepare(item, f"{path}[<{kind.__name__} item>]") for item in list(value)]
        return [ext.SET if kind is set else ext.FROZENSET, *sorted(items, key=ormsgpack.packb)]

    def _dict(self, value: dict[t.Any, t.Any], path: str) -> t.Any:
        keys: list[t.Any] = []
        items: list[t.Any] = []
        for key, item in list(value.items()):
            place = key_path(path, key)
            keys.append(self.prepare(key, place))
            items.append(self.prepare(item, place))
        if all(type(key) is str for key in keys):
            return dict(zip(keys, items, strict=True))
        return [ext.PAIRS, *(part for pair in zip(keys, items, strict=True) for part in pair)]

    def _custom_type(self, value: t.Any, path: str) -> list[t.Any]:
        custom = self._custom[type(value)]
        try:
            dumped = custom.dump(value)
        except Exception as error:
            raise ValueNotSupported(
                path,
                f"dump of the registered type {type_name(custom.cls)} "
                f"raised {type_name(type(error))}",
            ) from error
        return [ext.CUSTOM, custom.name, self.prepare(dumped, path)]
