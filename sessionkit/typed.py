"""Typed: sessions with the attributes of a dataclass, or the keys of a TypedDict."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import typing as t

from . import signals
from .checking import Checker
from .errors import ConfigurationError
from .errors import ValueNotSupported
from .session import Session

T = t.TypeVar("T")

#: Gets the version that the values have, and the values by name; returns them as they are now.
Migration = cabc.Callable[[int, dict[str, t.Any]], cabc.Mapping[str, t.Any]]

_ABSENT: t.Final = object()
_VERSION: t.Final = "__version__"


class Typed(t.Generic[T]):
    """Shows a session as a dataclass or a TypedDict, with its defaults and types.

    Every field is a key of the session, so requests that change different fields both win. A value
    that is assigned is checked. A stored value that does not fit, such as one that an older version
    of the application has left, counts as absent: the field has its default, and the signal
    ``dropped`` tells. Needs the library *typeguard*.

    :param schema: the dataclass or TypedDict.
    :param prefix: what the keys begin with, to keep two schemas apart: ``"cart."``.
    :param version: of the schema, from 1.
    :param migrate: called once with the older version and what a session holds under the prefix;
        returns what it shall hold.
    :raises ConfigurationError: if *schema* is neither, or *typeguard* is not installed.

    >>> import dataclasses
    >>> from sessionkit import SessionManager
    >>> from sessionkit.stores.memory import MemoryStore
    >>> @dataclasses.dataclass
    ... class Shop:
    ...     cart: list[str] = dataclasses.field(default_factory=list)
    ...     currency: str = "EUR"
    >>> shop = Typed(Shop)
    >>> session = SessionManager(MemoryStore()).open()
    >>> shop(session).cart.append("tea")
    >>> shop(session).cart, shop(session).currency
    (['tea'], 'EUR')
    >>> shop(session).currency = 5
    Traceback (most recent call last):
    sessionkit.errors.ValueNotSupported: session['currency']: must be str, not int
    """

    def __init__(
        self,
        schema: type[T],
        *,
        prefix: str = "",
        version: int = 1,
        migrate: Migration | None = None,
    ) -> None:
        if version < 1:
            raise ConfigurationError("version must be at least 1")

        self.version = version
        self.prefix = prefix
        self._migrate = migrate
        self._checker = Checker(schema)
        self._fields = {
            name: _Field(self, name, annotation) for name, annotation in self._checker.types.items()
        }
        self._view: cabc.Callable[[Session], t.Any]

        if dataclasses.is_dataclass(schema):
            self._view = _dataclass_view(schema, self._fields)
        elif t.is_typeddict(schema):
            self._view = _mapping_view(self._fields)
        else:
            raise ConfigurationError("schema must be a dataclass or a TypedDict")

    def __call__(self, session: cabc.MutableMapping[str, t.Any]) -> T:
        """Return the session of any of the three ways in as typed data."""
        core: t.Any = session
        unwrap = getattr(core, "_get_current_object", None)
        core = unwrap() if unwrap is not None else core
        core = getattr(core, "core", core)

        if not isinstance(core, Session):
            raise TypeError(f"a session is needed, not {type(core).__name__}")

        return t.cast(T, self._view(core))

    def get(self, session: Session, field: _Field) -> t.Any:
        self._bring_up_to_date(session)
        value = session.get(field.key, _ABSENT)

        if value is not _ABSENT and not self._checker.fits(value, field.annotation):
            signals.emit(
                signals.dropped,
                session.manager,
                session=session,
                keys={field.key},
                reason="type",
            )
            value = _ABSENT

        return value

    def set(self, session: Session, field: _Field, value: t.Any) -> None:
        if not self._checker.fits(value, field.annotation):
            wanted = self._checker.name_of(field.annotation)
            raise ValueNotSupported(
                f"session[{field.key!r}]", f"must be {wanted}, not {type(value).__name__}"
            )

        self._bring_up_to_date(session)
        session[field.key] = value

        if self.version > 1:
            session[self.prefix + _VERSION] = self.version

    def _bring_up_to_date(self, session: Session) -> None:
        if self._migrate is None or session.get(self.prefix + _VERSION) == self.version:
            return

        found = self._stored(session)
        version = found.pop(_VERSION, 1)

        if not found or type(version) is not int or version >= self.version:
            return

        migrated = self._migrate(version, found)

        for name in found.keys() - migrated.keys():
            del session[self.prefix + name]

        for name, value in migrated.items():
            session[self.prefix + name] = value

        session[self.prefix + _VERSION] = self.version

    def _stored(self, session: Session) -> dict[str, t.Any]:
        length = len(self.prefix)
        return {key[length:]: session[key] for key in session if key.startswith(self.prefix)}


class _Field:
    """One field as a descriptor of the view, with its place in the session."""

    def __init__(self, typed: Typed[t.Any], name: str, annotation: t.Any) -> None:
        self.typed = typed
        self.name = name
        self.annotation = annotation
        self.key = typed.prefix + name
        self.default: t.Any = _ABSENT
        self.factory: cabc.Callable[[], t.Any] | None = None

    def __get__(self, view: t.Any, owner: type | None = None) -> t.Any:
        return self if view is None else self.read(view._session)

    def __set__(self, view: t.Any, value: t.Any) -> None:
        self.typed.set(view._session, self, value)

    def __delete__(self, view: t.Any) -> None:
        del view._session[self.key]

    def read(self, session: Session) -> t.Any:
        value = self.typed.get(session, self)

        if value is not _ABSENT:
            return value

        if self.factory is not None:
            # Also in the place of a stored value that does not fit.
            return session.draft.values.offer(self.key, self.factory)

        if self.default is _ABSENT:
            raise AttributeError(f"the session has no {self.key!r}, and it has no default")

        return self.default


def _dataclass_view(
    schema: type, fields: cabc.Mapping[str, _Field]
) -> cabc.Callable[[Session], t.Any]:
    parameters: t.Any = schema.__dict__["__dataclass_params__"]

    if parameters.frozen:
        raise ConfigurationError(f"{schema.__name__} is frozen, so nothing could be assigned")

    for given in dataclasses.fields(schema):
        field = fields[given.name]
        field.default = _ABSENT if given.default is dataclasses.MISSING else given.default
        factory = given.default_factory
        field.factory = None if factory is dataclasses.MISSING else factory

    def set_attribute(view: t.Any, name: str, value: object) -> None:
        if name not in fields:
            raise AttributeError(f"{schema.__name__} has no field {name!r}")

        object.__setattr__(view, name, value)

    def represent(view: object) -> str:
        return f"<{schema.__name__} of a session>"

    namespace = {**fields, "__setattr__": set_attribute, "__repr__": represent}
    made: t.Any = type(schema.__name__, (schema,), namespace)

    def view(session: Session) -> t.Any:
        shown = object.__new__(made)
        object.__setattr__(shown, "_session", session)
        return shown

    return view


def _mapping_view(fields: cabc.Mapping[str, _Field]) -> cabc.Callable[[Session], t.Any]:
    return lambda session: _MappingView(session, fields)


class _MappingView(cabc.MutableMapping[str, t.Any]):
    """What a TypedDict promises, on a session."""

    def __init__(self, session: Session, fields: cabc.Mapping[str, _Field]) -> None:
        self._session = session
        self._fields = fields

    def __getitem__(self, key: str) -> t.Any:
        try:
            return self._fields[key].read(self._session)
        except AttributeError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: t.Any) -> None:
        self._fields[key].typed.set(self._session, self._fields[key], value)

    def __delitem__(self, key: str) -> None:
        del self._session[self._fields[key].key]

    def __iter__(self) -> cabc.Iterator[str]:
        return (name for name in self._fields if self._is_there(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<{len(self)} typed keys of a session>"

    def _is_there(self, name: str) -> bool:
        try:
            self[name]
        except KeyError:
            return False

        return True
