"""Values to bytes and back: what goes in comes out with its type, or is refused."""

from __future__ import annotations

import collections.abc as cabc
import datetime as dt
import decimal
import enum
import typing as t
import uuid

import markupsafe
import ormsgpack

from . import extension_types as ext
from .custom_types import CustomType
from .custom_types import collect
from .errors import DecodeError
from .errors import ValueNotSupported
from .preparation import MAX_DEPTH
from .preparation import Preparation
from .refusal import type_name
from .unpacking import unpack

__all__ = ["IMMUTABLE", "MAX_DEPTH", "Codec", "CustomType"]

#: The exact types whose values never change once they are handed out.
IMMUTABLE: t.Final[frozenset[type]] = frozenset(
    {
        type(None),
        bool,
        int,
        float,
        str,
        bytes,
        dt.datetime,
        dt.date,
        dt.time,
        dt.timedelta,
        decimal.Decimal,
        uuid.UUID,
        markupsafe.Markup,
    }
)

# Without OPT_NON_STR_KEYS: it silently turns date, UUID and enum keys into str.
_OPTIONS = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_UUID
)

# How ormsgpack writes an extension without content. Where it is missing nothing has a tag.
_TAG_BYTES = b"\xc7\x00"
_TAG_BYTE = _TAG_BYTES[0]

_packb, _unpackb = ormsgpack.packb, unpack

_CONTAINERS = frozenset({dict, list, tuple, set, frozenset})
# ormsgpack writes these as if they were something else, without asking.
_DISGUISED = frozenset({bytearray, memoryview, ormsgpack.Ext}) | (
    {ormsgpack.Fragment} if hasattr(ormsgpack, "Fragment") else set[type]()
)
_EXAMINED = _CONTAINERS | _DISGUISED
# The fast way adds the two levels of a registered type without counting them.
_MAX_STORED_DEPTH = MAX_DEPTH + 2

_Build: t.TypeAlias = cabc.Callable[[list[t.Any]], t.Any]

_LENGTHS = [bytes([length]) for length in range(255)]
_LONG = 255
_LONG_PREFIX = 9


class Codec:
    """Turns one value into bytes, and back.

    The same value makes the same bytes in every process, whatever its hash seed.

    >>> import datetime
    >>> codec = Codec()
    >>> data = codec.encode({"when": datetime.date(2024, 2, 29), 7: (1, 2)}, "session['visit']")
    >>> codec.decode(data)
    {'when': datetime.date(2024, 2, 29), 7: (1, 2)}

    :param types: enum classes, whose members are stored by name, and custom types.
    :raises ConfigurationError: if a class or a name is registered twice, or cannot be.
    """

    def __init__(self, types: cabc.Iterable[type[enum.Enum] | CustomType] = ()) -> None:
        self._custom = collect(types, IMMUTABLE | _EXAMINED)
        self._by_name = {custom.name: custom for custom in self._custom.values()}
        self._default = _make_default(self._custom)
        self._load_single = _make_hook(ext.LOAD)
        builders: tuple[_Build, ...] = (
            tuple,
            set,
            frozenset,
            _build_dict,
            self._build_custom,
        )
        tags = {code: _Tag(build) for code, build in zip(ext.TAG_CODES, builders, strict=True)}
        self._load_any = _make_hook(
            ext.LOAD | {code: _make_tag_loader(tag) for code, tag in tags.items()}
        )

    def encode(
        self, value: object, path: str, key: str | None = None, before: bytes = b"", /
    ) -> bytes:
        """Return the bytes of *value*.

        :param path: what to call the value in an error, such as ``session['cart']``.
        :param key: of the value in what is called *path* then, such as ``session``.
        :param before: bytes that *value* had. If it is as it was, they are returned, at half of the
            cost; a ``bytearray`` in the place of the same ``bytes`` is no change.
        :raises ValueNotSupported: if it would not come back as what it is; names the place inside.
        """
        try:
            packed = _packb(value, self._default, _OPTIONS)
            if before and packed == before[1 if before[0] != _LONG else _LONG_PREFIX :]:
                return before
            is_plain = type(value) not in _EXAMINED or _is_plain(value, MAX_DEPTH)
        except Exception:  # noqa: BLE001 - whatever it is, the careful way says it better
            is_plain, packed = False, b""
        if not is_plain:
            packed = self._pack_carefully(value, path if key is None else f"{path}[{key!r}]")
        length = len(packed)
        if length < _LONG:
            return _LENGTHS[length] + packed
        return b"".join((b"\xff", length.to_bytes(8, "big"), packed))

    def decode(self, data: bytes, /) -> t.Any:
        """Return the value of *data*.

        :raises DecodeError: for anything that is not the bytes of one value and nothing else.
        """
        try:
            packed: bytes | memoryview
            if data[0] == len(data) - 1 < _LONG:
                packed = data[1:]
            elif data[0] == _LONG and int.from_bytes(data[1:9], "big") == len(data) - 9 >= _LONG:
                packed = memoryview(data)[_LONG_PREFIX:]
            else:
                raise DecodeError("a stored value is cut off, or more bytes follow it")
            # One byte is found much faster than two.
            if _TAG_BYTE not in data or _TAG_BYTES not in data:
                return _unpackb(packed, ext_hook=self._load_single)
            value = _unpackb(packed, ext_hook=self._load_any)
            return _restore(value, _MAX_STORED_DEPTH) if type(value) in _RESTORED else value
        except DecodeError:
            raise
        except Exception as error:  # noqa: BLE001 - its text may quote the data
            raise DecodeError(f"a stored value is damaged ({type(error).__name__})") from None

    def _pack_carefully(self, value: object, path: str) -> bytes:
        try:
            return _packb(Preparation(self._custom).prepare(value, path), None, _OPTIONS)
        except RecursionError:
            raise ValueNotSupported(path, "it is nested too deep for the stack") from None

    def _build_custom(self, parts: list[t.Any]) -> t.Any:
        name, dumped = parts
        if name not in self._by_name:
            raise DecodeError("a stored value is of a type that is not registered")
        custom = self._by_name[name]
        try:
            return custom.load(dumped)
        except Exception as error:
            raise DecodeError(
                f"load of the registered type {type_name(custom.cls)} "
                f"raised {type_name(type(error))}"
            ) from error


class _Tag:
    """What an empty extension decodes to: says what becomes of the list that begins with it."""

    __slots__ = ("build",)

    def __init__(self, build: _Build) -> None:
        self.build = build


_RESTORED = frozenset({list, dict, _Tag})


def _make_default(
    custom: cabc.Mapping[type, CustomType],
) -> cabc.Callable[[t.Any], ormsgpack.Ext | list[t.Any]]:
    """Make the function that ormsgpack calls for what it does not know.

    It fails for everything that the careful way must look at.
    """
    dumps = ext.DUMP

    def default(value: t.Any) -> ormsgpack.Ext | list[t.Any]:
        kind: type[t.Any] = type(value)
        dump = dumps.get(kind)
        if dump is not None:
            return dump(value)
        if kind is tuple:
            return [ext.TUPLE, *value]
        # Of a set of containers each would be packed once more for every set around it.
        if (kind is set or kind is frozenset) and IMMUTABLE.issuperset(map(type, value)):
            return [ext.SET if kind is set else ext.FROZENSET, *sorted(value, key=pack)]
        if kind in custom:
            dumped = custom[kind].dump(value)
            if _is_shallow(dumped):
                return [ext.CUSTOM, custom[kind].name, dumped]
        raise TypeError

    def pack(item: object) -> bytes:
        return _packb(item, default, _OPTIONS)

    return default


def _make_hook(
    loaders: cabc.Mapping[int, cabc.Callable[[bytes], t.Any]],
) -> cabc.Callable[[int, bytes], t.Any]:
    def hook(code: int, data: bytes) -> t.Any:
        return loaders[code](data)

    return hook


def _make_tag_loader(tag: _Tag) -> cabc.Callable[[bytes], _Tag]:
    def load(data: bytes) -> _Tag:
        if data:
            raise ValueError("a tag with content")
        return tag

    return load


def _is_plain(value: t.Any, depth: int) -> bool:
    """Tell whether ormsgpack may be given *value*, a container or something disguised."""
    kind: type[t.Any] = type(value)
    if not depth or kind in _DISGUISED:
        return False
    items: cabc.Iterable[t.Any] = value.values() if kind is dict else value
    for item in items:  # noqa: SIM110 - all() costs a generator for each container
        if type(item) in _EXAMINED and not _is_plain(item, depth - 1):
            return False
    return True


def _is_shallow(value: t.Any) -> bool:
    """Tell whether *value* is a single value or a list or dict of nothing else."""
    kind: type[t.Any] = type(value)
    if kind is dict:
        return IMMUTABLE.issuperset(map(type, value.values()))
    if kind is list:
        return IMMUTABLE.issuperset(map(type, value))
    return kind in IMMUTABLE


def _restore(value: t.Any, depth: int) -> t.Any:
    """Turn every list that begins with a tag into what the tag says; *value* is in _RESTORED."""
    if not depth:
        raise DecodeError("a stored value is nested too deep")
    kind: type[t.Any] = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(item) in _RESTORED:
                value[key] = _restore(item, depth - 1)
        return value
    if kind is not list:
        raise DecodeError("a stored value has a tag in the wrong place")
    tag: t.Any = value[0] if value else None
    tagged = type(tag) is _Tag
    for index in range(tagged, len(value)):
        item = value[index]
        if type(item) in _RESTORED:
            value[index] = _restore(item, depth - 1)
    return tag.build(value[1:]) if tagged else value


def _build_dict(parts: list[t.Any]) -> dict[t.Any, t.Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))
