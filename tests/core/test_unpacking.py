"""Damaged lengths reserve no memory, whatever the version of the parser."""

from __future__ import annotations

import hypothesis
import ormsgpack
import pytest
from hypothesis import strategies as st

from sessionkit.unpacking import check_lengths

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@hypothesis.given(VALUES)
def test_what_was_packed_passes(value: object) -> None:
    packed = ormsgpack.packb(value)
    check_lengths(packed)
    check_lengths(memoryview(packed))


def test_large_containers_and_extensions_pass() -> None:
    big = [list(range(70_000)), {str(number): b"x" * 300 for number in range(70_000)}]
    check_lengths(ormsgpack.packb([*big, "é" * 70_000, b"x" * 70_000]))

    for size in (0, 1, 2, 3, 4, 8, 16, 17, 300, 70_000):
        check_lengths(ormsgpack.packb([ormsgpack.Ext(7, b"x" * size), 1]))


@pytest.mark.parametrize(
    "damaged",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\x7f\xff\xff\xff\x01\x02",
        b"\xdc\xff\xff",
        b"\x93\x01\x02",
        b"\x91\xde\xff\xff\x01",
        b"\x92\xd9\xff",
        b"",
    ],
)
def test_claims_beyond_the_end_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="length"):
        check_lengths(damaged)
