"""Registering the types that an application wants to keep in sessions."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import enum
import operator
import typing as t

from .errors import ConfigurationError
from .refusal import type_name


@dataclasses.dataclass(frozen=True)
class CustomType:
    """How a type of the application is stored.

    Only objects of exactly this class are meant; a subclass is registered by itself.

    >>> import dataclasses
    >>> @dataclasses.dataclass
    ... class Point:
    ...     x: int
    ...     y: int
    >>> point = CustomType(Point, "point", dataclasses.asdict, lambda data: Point(**data))

    :param cls: the class.
    :param name: what it is called in stored data. Stays the same when the class is renamed.
    :param dump: turns an object into a value that can be stored.
    :param load: turns that value back into an object. May see what an older version dumped.
    """

    cls: type
    name: str
    dump: cabc.Callable[[t.Any], object]
    load: cabc.Callable[[t.Any], t.Any]


def collect(
    types: cabc.Iterable[type[enum.Enum] | CustomType], taken: cabc.Container[type]
) -> dict[type, CustomType]:
    """Return the registered types by class.

    :param types: enum classes, and custom types for everything else.
    :param taken: the classes that are stored already, or never can be.
    :raises ConfigurationError: for something else, or a class or name that is not free.
    """
    if not isinstance(types, cabc.Iterable):
        raise ConfigurationError(f"types must be a list, not {_described(types)}")
    found: dict[type, CustomType] = {}
    names: set[str] = set()
    for entry in types:
        custom = _checked(entry)
        cls = custom.cls
        if cls in taken:
            raise ConfigurationError(f"the type {type_name(cls)} cannot be registered")
        if cls in found:
            raise ConfigurationError(f"the type {type_name(cls)} is registered twice")
        if custom.name in names:
            raise ConfigurationError(
                f"two types are registered as {custom.name!r}; "
                "pass CustomType with another name for one of them"
            )
        names.add(custom.name)
        found[cls] = custom
    return found


def _checked(entry: t.Any) -> CustomType:
    if _is_class(entry) and issubclass(entry, enum.Enum):
        return _of_enum(entry)
    if not isinstance(entry, CustomType):
        raise ConfigurationError(
            f"types takes enum classes and CustomType objects, not {_described(entry)}"
        )
    cls: t.Any = entry.cls
    name: t.Any = entry.name
    if not _is_class(cls):
        raise ConfigurationError(f"CustomType.cls must be a class, not {_described(cls)}")
    if type(name) is not str or not name or not name.isprintable():
        raise ConfigurationError(f"the type {type_name(cls)} needs a name, a printable text")
    if not all(map(callable, (entry.dump, entry.load))):
        raise ConfigurationError(f"dump and load of {type_name(cls)} must be callable")
    return entry


def _of_enum(cls: type[enum.Enum]) -> CustomType:
    members = cls.__members__
    if not issubclass(cls, enum.Flag):
        return CustomType(cls, cls.__qualname__, operator.attrgetter("_name_"), members.__getitem__)

    def dump(flags: t.Any) -> object:
        # A combination of flags is no member; before Python 3.11 it has no name at all.
        return flags.name if flags.name in members else flags.value

    def load(stored: t.Any) -> t.Any:
        return members[stored] if type(stored) is str else cls(stored)

    return CustomType(cls, cls.__qualname__, dump, load)


def _is_class(entry: object) -> t.TypeGuard[type[t.Any]]:
    # isinstance() is true for list[int] on Python 3.10.
    return issubclass(type(entry), type)


def _described(entry: object) -> str:
    return type_name(entry) if _is_class(entry) else f"a {type_name(type(entry))}"
