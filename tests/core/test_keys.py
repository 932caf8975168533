"""Secrets and the keys that are derived from them."""

from __future__ import annotations

import secrets
import typing as t

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sessionkit.aead import Keyring
from sessionkit.aead import UnknownKey
from sessionkit.errors import DecodeError
from sessionkit.keys import derive
from sessionkit.keys import new_key
from sessionkit.keys import strong_secrets


def test_a_new_key_is_a_strong_secret() -> None:
    made = [new_key() for _ in range(1000)]
    assert len(set(made)) == len(made)
    assert strong_secrets(made) == [key.encode() for key in made]


def test_keys_are_derived_as_in_rfc_5869() -> None:
    # Its third test case: neither salt nor info.
    expected = (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )
    assert derive(b"\x0b" * 22, b"", 42).hex() == expected


@pytest.mark.parametrize("length", [1, 16, 32, 33, 36, 64, 100])
def test_keys_are_derived_as_cryptography_does(length: int) -> None:
    secret, purpose = secrets.token_bytes(40), b"a purpose"
    hkdf = HKDF(hashes.SHA256(), length, salt=None, info=purpose)
    assert derive(secret, purpose, length) == hkdf.derive(secret)


def _drawing(drawn: bytes) -> t.Callable[[int], bytes]:
    return lambda size: drawn[:size]


def test_the_drawn_bytes_are_the_message_key_and_the_nonce() -> None:
    """Two messages with the same bytes are the same; a change of any bit of them is a change."""
    secret, seen = new_key(), set()

    for place in [None, *range(24)]:
        drawn = bytearray(24)

        if place is not None:
            drawn[place] = 1

        keyring = Keyring([secret], b"test", _drawing(bytes(drawn)))
        seen.add(keyring.seal(b"text")[28:])

    assert len(seen) == 25


def test_a_key_that_is_not_there_is_told_from_damage() -> None:
    old, new = new_key(), new_key()
    sealed = Keyring([new], b"test").seal(b"text")

    with pytest.raises(UnknownKey):
        Keyring([old], b"test").open(sealed)

    for damaged in (b"", sealed[:43], sealed[:-1], sealed + b"!"):
        with pytest.raises(DecodeError) as caught:
            Keyring([old, new], b"test").open(damaged)

        assert not isinstance(caught.value, UnknownKey)
