"""Typed: sessions with the attributes of a dataclass, or the keys of a TypedDict."""

from __future__ import annotations

import collections.abc as cabc
import copy
import dataclasses
import enum
import functools
import typing as t

from . import signals
from .checking import Checker
from .codec import IMMUTABLE
from .errors import ConfigurationError
from .errors import ValueNotSupported
from .session import Session

T = t.TypeVar("T")

#: Gets the version that the values have, and those there are by name; returns what they are now.
Migration = cabc.Callable[[int, dict[str, t.Any]], cabc.Mapping[str, t.Any]]

_ABSENT: t.Final = object()
_VERSION: t.Final = "__version__"
#: Where a view has its session. Not a name that a field, a method or a property may have.
_PLACE: t.Final = "the session"


class Typed(t.Generic[T]):
    """Shows a session as a dataclass or a TypedDict, with its defaults and types.

    Every field is a key of the session, so requests that change different fields both win. A value
    that is assigned is checked; what is changed inside of one, when the next request reads it. A
    stored value that does not fit, such as one that an older version of the application has left,
    counts as absent: the field has its default, and the signal ``dropped`` tells. Needs the library
    *typeguard*.

    :param schema: the dataclass or TypedDict.
    :param prefix: what the keys begin with, to keep two schemas apart: ``"cart."``.
    :param version: of the schema, from 1.
    :param migrate: called once for a session of an older version, with that version and with what
        there is of the fields and of the *former* ones; returns what there shall be of them. If
        another request changes any of it at the same time, that stays, and it is called again.
    :param former: names of fields that older versions had.
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
        former: cabc.Iterable[str] = (),
    ) -> None:
        if version < 1:
            raise ConfigurationError("version must be at least 1")

        if isinstance(former, str):
            raise ConfigurationError("former must be a list of names")

        self.version: int = version
        self.prefix: str = prefix
        self._version_key = prefix + _VERSION
        self._migrate = migrate
        self._checker = Checker(schema)
        self._fields = {
            name: _Field(self, name, annotation) for name, annotation in self._checker.types.items()
        }
        self._known = {*self._fields, *former}
        self._view: cabc.Callable[[Session], t.Any]

        if self._checker.is_dataclass:
            self._view = _dataclass_view(schema, self._fields)
        else:
            self._view = _mapping_view(self._fields)

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

        if value is _ABSENT or self._fits(session, field, value):
            return value

        signals.emit(
            signals.dropped, session.manager, session=session, keys={field.key}, reason="type"
        )
        return _ABSENT

    def set(self, session: Session, field: _Field, value: t.Any) -> None:
        if not self._fits(session, field, value):
            wanted = self._checker.name_of(field.annotation)
            raise ValueNotSupported(
                f"session[{field.key!r}]", f"must be {wanted}, not {type(value).__name__}"
            )

        self._bring_up_to_date(session)
        session[field.key] = value

        if self.version > 1 and self._version_of(session, 0) < self.version:
            session[self._version_key] = self.version

    def _fits(self, session: Session, field: _Field, value: t.Any) -> bool:
        """Check a value once in a request: it may be long, and be asked for in a loop."""
        checked = session.checked

        if checked is not None and checked.get(field, _ABSENT) is value:
            return True

        if not self._checker.fits(value, field.annotation):
            return False

        if type(value) not in IMMUTABLE:
            session.checked = {field: value} if checked is None else {**checked, field: value}

        return True

    def _version_of(self, session: Session, default: int) -> int:
        version = session.get(self._version_key)
        return version if type(version) is int else default

    def _bring_up_to_date(self, session: Session) -> None:
        if self._migrate is None:
            return

        version = self._version_of(session, 1)

        if version >= self.version:
            return

        keys = {name: self.prefix + name for name in self._known}
        found = {name: session[key] for name, key in keys.items() if key in session}

        if not found:
            return

        migrated = self._migrate(version, found.copy())
        values = {self.prefix + name: value for name, value in migrated.items()}
        removed = [keys[name] for name in found.keys() - migrated.keys()]
        # Also after the commit: who reads in a stream sees what the next request will.
        session.draft.values.convert({**values, self._version_key: self.version}, removed)


class _Field:
    """One field as a descriptor of the view, with its place in the session."""

    def __init__(self, typed: Typed[t.Any], name: str, annotation: t.Any) -> None:
        self.typed: Typed[t.Any] = typed
        self.name: str = name
        self.annotation: t.Any = annotation
        self.key: str = typed.prefix + name
        self.default: t.Any = _ABSENT
        self.factory: cabc.Callable[[], t.Any] | None = None

    def __get__(self, view: t.Any, owner: type | None = None) -> t.Any:
        return self if view is None else self.read(vars(view)[_PLACE])

    def __set__(self, view: t.Any, value: t.Any) -> None:
        self.typed.set(vars(view)[_PLACE], self, value)

    def __delete__(self, view: t.Any) -> None:
        try:
            del vars(view)[_PLACE][self.key]
        except KeyError:
            raise AttributeError(f"the session has no {self.key!r}") from None

    def default_is(self, value: object) -> None:
        if type(value) in IMMUTABLE or isinstance(value, enum.Enum):
            self.default = value
        else:
            # Else all sessions would share it.
            self.factory = functools.partial(copy.deepcopy, value)

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
    parameters: t.Any = getattr(schema, "__dataclass_params__")  # noqa: B009  # not in its stubs

    if parameters.frozen:
        raise ConfigurationError(f"{schema.__name__} is frozen, so nothing could be assigned")

    for given in dataclasses.fields(schema):
        field = fields[given.name]

        if given.default_factory is not dataclasses.MISSING:
            field.factory = given.default_factory
        elif given.default is not dataclasses.MISSING:
            field.default_is(given.default)

    def set_attribute(view: t.Any, name: str, value: object) -> None:
        # Properties may have setters.
        if name not in fields and not hasattr(getattr(schema, name, None), "__set__"):
            raise AttributeError(f"{schema.__name__} has no field {name!r}")

        object.__setattr__(view, name, value)

    def represent(view: object) -> str:
        return f"<{schema.__name__} of a session>"

    namespace = {
        **fields,
        "__setattr__": set_attribute,
        "__repr__": represent,
        "__module__": schema.__module__,
        "__qualname__": schema.__qualname__,
    }
    made: t.Any = type(schema.__name__, (schema,), namespace)

    def view(session: Session) -> t.Any:
        shown = object.__new__(made)
        vars(shown)[_PLACE] = session
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
