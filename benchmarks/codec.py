"""What a session costs in each of the three MessagePack libraries: why the codec uses ormsgpack.

Run it with ``python benchmarks/codec.py``; it needs ormsgpack, msgpack and msgspec, and takes
less than ten seconds. Microseconds, the best of several rounds; only the ratios within one run mean
anything elsewhere. Every library is set to keep tuples and refuse subclasses where it can, with
one extension function for Decimal and datetime, because speed without that is of no use here.
``sessionkit`` is the codec itself: ormsgpack plus everything that it promises.
"""

from __future__ import annotations

import collections.abc as cabc
import datetime as dt
import decimal
import functools
import sys
import timeit
import typing as t
from pathlib import Path

import msgpack  # type: ignore[import-untyped]
import msgspec
import ormsgpack

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sessionkit.codec import Codec
from sessionkit.payload import Header
from sessionkit.payload import pack_live
from sessionkit.payload import unpack

ROUNDS, SECONDS = 5, 0.02
Encode: t.TypeAlias = cabc.Callable[[t.Any], bytes]
Decode: t.TypeAlias = cabc.Callable[[bytes], t.Any]

SESSION: dict[str, t.Any] = {
    "user": 4711,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "csrf": "8f14e45fceea167a5a36dedd4bea2543" * 2,
    "locale": "de-CH",
    "admin": False,
    "visits": 17,
    "seen": 1_760_000_000.25,
    "next": "/catalogue/machines/analytical?page=3&sort=price",
    "recent": [f"/catalogue/item/{n}" for n in range(12)],
    "filters": {"colour": ["brass", "iron"], "price": {"min": 10, "max": 2500}},
    "notice": "Your order has been received and is being looked at. " * 7,
}
CART = {
    "items": [
        {"sku": "A-100", "name": "Blue mug", "quantity": 2, "price": 1999},
        {"sku": "B-7", "name": "Red plate", "quantity": 1, "price": 1250},
        {"sku": "C-55", "name": "Fork", "quantity": 6, "price": 300},
    ],
    "currency": "EUR",
    "coupon": None,
}
TYPED_CART = {
    "items": [("A-100", 2, decimal.Decimal("19.99")), ("B-7", 1, decimal.Decimal("12.50"))],
    "at": dt.datetime(2025, 1, 2, 3, 4, 5),  # noqa: DTZ001
}
LARGE = b"\x5a" * 100_000


def extension(value: t.Any) -> tuple[int, bytes]:
    if type(value) is decimal.Decimal:
        return 1, str(value).encode()
    if type(value) is dt.datetime:
        return 2, value.isoformat().encode()
    raise TypeError(type(value))


def loaded(code: int, data: bytes | memoryview) -> t.Any:
    text = str(data, "ascii")
    return decimal.Decimal(text) if code == 1 else dt.datetime.fromisoformat(text)


def with_ormsgpack() -> tuple[Encode, Decode]:
    options = (
        ormsgpack.OPT_PASSTHROUGH_SUBCLASS
        | ormsgpack.OPT_PASSTHROUGH_DATACLASS
        | ormsgpack.OPT_PASSTHROUGH_ENUM
        | ormsgpack.OPT_PASSTHROUGH_DATETIME
        | ormsgpack.OPT_PASSTHROUGH_TUPLE
    )
    tuple_tag = ormsgpack.Ext(32, b"")

    def default(value: t.Any) -> t.Any:
        if type(value) is tuple:
            return [tuple_tag, *value]
        return ormsgpack.Ext(*extension(value))

    def load(code: int, data: bytes) -> t.Any:
        return None if code == 32 else loaded(code, data)

    return (
        lambda value: ormsgpack.packb(value, default, options),
        lambda data: ormsgpack.unpackb(data, ext_hook=load),
    )


def with_msgpack() -> tuple[Encode, Decode]:
    def default(value: t.Any) -> t.Any:
        if type(value) is tuple:
            return msgpack.ExtType(3, packer.pack(list(value)))
        return msgpack.ExtType(*extension(value))

    def load(code: int, data: bytes) -> t.Any:
        return tuple(decode(data)) if code == 3 else loaded(code, data)

    def encode(value: t.Any) -> bytes:
        return t.cast("bytes", msgpack.packb(value, default=default, strict_types=True))

    def decode(data: bytes) -> t.Any:
        return msgpack.unpackb(data, ext_hook=load, strict_map_key=False)

    packer = msgpack.Packer(default=default, strict_types=True)
    return encode, decode


def with_msgspec() -> tuple[Encode, Decode]:
    def default(value: t.Any) -> t.Any:
        return msgspec.msgpack.Ext(*extension(value))

    encoder = msgspec.msgpack.Encoder(enc_hook=default)
    decoder = msgspec.msgpack.Decoder(ext_hook=loaded)
    return encoder.encode, decoder.decode


def with_sessionkit() -> tuple[Encode, Decode]:
    codec = Codec()
    return lambda value: codec.encode(value, "session['k']"), codec.decode


def measure(function: cabc.Callable[[], object]) -> float:
    timer = timeit.Timer(function)
    count = 1
    while (took := timer.timeit(count)) < SECONDS / 4:
        count *= 4
    count = max(1, int(count * SECONDS / took))
    return min(timer.repeat(ROUNDS, count)) / count * 1e6


def encode_each(encode: Encode) -> dict[str, bytes]:
    return {key: encode(value) for key, value in SESSION.items()}


def rows(encode: Encode, decode: Decode) -> cabc.Iterator[tuple[str, float]]:
    encoded = encode_each(encode)
    large = {**encoded, "large": LARGE}
    for name, value in [("small str", "Ada Lovelace"), ("cart", CART), ("typed cart", TYPED_CART)]:
        data = encode(value)
        yield f"encode {name}", measure(functools.partial(encode, value))
        yield f"decode {name}", measure(functools.partial(decode, data))
    yield "encode 12 keys of 1 KB, each", measure(lambda: encode_each(encode))
    yield (
        "decode 12 keys of 1 KB, each",
        measure(lambda: {key: decode(data) for key, data in encoded.items()}),
    )
    for name, content in [("1 KB", encoded), ("100 KB", large)]:
        packed = encode(content)
        yield f"pack {name} envelope", measure(functools.partial(encode, content))
        yield f"unpack {name} envelope", measure(functools.partial(decode, packed))


def payload_rows(encode: Encode) -> cabc.Iterator[tuple[str, float]]:
    header = Header("A" * 22, 1.7e9, 1.7e9, 1.7e9)
    encoded = encode_each(encode)
    for name, values in [("1 KB", encoded), ("100 KB", {**encoded, "large": LARGE})]:
        payload = pack_live(header, values, {})
        yield (
            f"pack {name} envelope",
            measure(functools.partial(pack_live, header, values, {})),
        )
        yield f"unpack {name} envelope", measure(functools.partial(unpack, payload))


def refusals(encode: Encode, decode: Decode) -> cabc.Iterator[tuple[str, str]]:
    """What speed does not show: whether a value comes back as what it was, or is refused."""

    class Child(str):
        __slots__ = ()

    cases: list[tuple[str, t.Any]] = [
        ("tuple", (1, 2)),
        ("int of 70 bits", 2**70),
        ("date as key", {dt.date(2025, 1, 1): 1}),
        ("set", {1, 2}),
        ("subclass of str", Child("x")),
        ("bytearray", bytearray(b"x")),
        ("lone surrogate", "\udc80"),
        ("fold", dt.datetime(2025, 10, 26, 2, 30, fold=1)),  # noqa: DTZ001
    ]
    for name, value in cases:
        try:
            back = decode(encode(value))
        except Exception:  # noqa: BLE001 - each library has its own
            yield name, "refused"
            continue
        same = type(back) is type(value) and back == value
        if isinstance(value, dt.datetime):
            same = same and back.fold == value.fold
        yield name, "kept" if same else "CHANGED"


def main() -> None:
    libraries = {
        "ormsgpack": with_ormsgpack(),
        "msgpack": with_msgpack(),
        "msgspec": with_msgspec(),
        "sessionkit": with_sessionkit(),
    }
    table: dict[str, dict[str, str]] = {}
    for library, (encode, decode) in libraries.items():
        measured = dict(rows(encode, decode))
        if library == "sessionkit":
            measured.update(payload_rows(encode))
        for row, microseconds in measured.items():
            table.setdefault(row, {})[library] = f"{microseconds:.2f}"
        for row, outcome in refusals(encode, decode):
            table.setdefault(row, {})[library] = outcome
    print(f"{'us':30}", *(f"{library:>12}" for library in libraries))
    for row, cells in table.items():
        print(f"{row:30}", *(f"{cells[library]:>12}" for library in libraries))
    print(
        "\nA hook that decodes what its extension holds, as the msgpack column does for tuples,\n"
        "lets a few kilobytes of nested extensions overflow the C stack; so it does in ormsgpack.\n"
        "sessionkit has no such hook: its tuples are lists that begin with a tag, and restoring\n"
        "them is what its decoding costs more. The bare ormsgpack column does not restore\n"
        "tuples. msgspec has no switch against tuples, sets and keys changing their type.\n"
        "Where memory comes from glibc, ormsgpack asks the system for it anew for each result\n"
        "above 64 KB; below that there is no such step."
    )


if __name__ == "__main__":
    main()
