"""Why a value cannot be stored, in words that name its type and never the value."""

from __future__ import annotations

import enum
import typing as t

_PLAIN_BASES = (dict, list, tuple, set, frozenset, str, bytes, int, float)


class Unstorable(Exception):
    """Raised inside the codec where the place of the value is not known yet.

    :param problem: what is wrong and what to do.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def type_name(kind: type[t.Any]) -> str:
    """Name a type as its user would import it."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def key_path(path: str, key: object) -> str:
    """Extend *path* by a dictionary key: a str is shown, shortened; of others only the type."""
    if type(key) is str:
        return f"{path}[{key if len(key) <= 40 else key[:37] + '...'!r}]"
    return f"{path}[<{type_name(type(key))} key>]"


def problem_with(kind: type[t.Any]) -> str:
    """Say why a value of this type cannot be stored and what to do."""
    name = type_name(kind)
    if issubclass(kind, enum.Enum):
        return f"the enum {name} is not registered; pass types=[{kind.__name__}] to the manager"
    if kind in (bytearray, memoryview):
        return f"a {name} would come back as bytes; convert it with bytes(...)"
    register = f"types=[CustomType({kind.__name__}, ...)]"
    for base in _PLAIN_BASES:
        if issubclass(kind, base):
            return (
                f"a {name} would come back as a plain {base.__name__}; convert it, "
                f"or pass {register} to the manager"
            )
    return (
        f"objects of type {name} cannot be stored; convert it to plain values, "
        f"or pass {register} to the manager"
    )


def lazy_text(value: t.Any) -> str | None:
    """Return the text of a lazy translation of Django, Flask-Babel or speaklater, else None.

    They are recognised by name, so that none of these packages is imported.
    """
    kind: type[t.Any] = type(value)
    for base in kind.__mro__:
        name = f"{base.__module__}.{base.__qualname__}"
        # A Promise may stand for something that is not text; then it lacks the methods of str.
        if name == "django.utils.functional.Promise" and not hasattr(kind, "casefold"):
            return None
        if name in _LAZY_TEXTS:
            try:
                return str.__str__(str(value))
            except Exception as error:
                raise Unstorable(
                    f"the lazy text of type {type_name(kind)} could not be evaluated "
                    f"({type_name(type(error))})"
                ) from error
    return None


_LAZY_TEXTS = frozenset(
    {
        "django.utils.functional.Promise",
        "flask_babel.speaklater.LazyString",
        "speaklater._LazyString",
    }
)
