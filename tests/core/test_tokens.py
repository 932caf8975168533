"""Ids: unguessable, opaque, signed with the newest secret and verified with all of them."""

from __future__ import annotations

import hashlib
import math
import random
import typing as t

import itsdangerous
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import tokens
from sessionkit.errors import ConfigurationError

ID = "0123456789012345678901234567890123456789"


def test_ids_are_distinct_and_carry_240_bits() -> None:
    ids = [tokens.new_id() for _ in range(5000)]
    alphabet = set("".join(ids))
    assert len(set(ids)) == 5000
    assert {len(session_id) for session_id in ids} == {40}
    assert 40 * math.log2(len(alphabet)) >= 128
    assert all(len({session_id[place] for session_id in ids}) > 30 for place in range(40))


def test_ids_do_not_depend_on_the_seed_of_the_random_module() -> None:
    ids = set()

    for _ in range(2):
        random.seed(1)
        ids.add(tokens.new_id())

    assert len(ids) == 2


def test_what_the_source_returns_is_the_id() -> None:
    randomness = tokens.Randomness(lambda count: b"\xff" * count)
    assert randomness.session_id() == "_" * 40
    assert randomness.identity() == ("_" * 40, "_" * 21 + "w", 2**62 - 1)
    assert randomness.fraction() == 1.0


def test_the_digest_is_what_a_store_knows() -> None:
    assert len(tokens.digest(ID)) == 64
    assert ID not in tokens.digest(ID)
    assert tokens.digest(ID) != tokens.digest(ID + "x")


def test_a_signed_id_is_verified_by_any_of_the_secrets() -> None:
    signed = tokens.sign(ID, ["new", "old"])
    assert tokens.verify(signed, ["newest", "new"]) == ID
    assert tokens.verify(signed, ["newest"]) is None


def test_the_first_secret_signs() -> None:
    assert tokens.sign(ID, ["new", "old"]) == tokens.sign(ID, ["new"])
    assert tokens.verify(tokens.sign(ID, ["new", "old"]), ["old"]) is None


def test_secrets_may_be_text_or_bytes() -> None:
    assert tokens.sign(ID, [b"secret"]) == tokens.sign(ID, ["secret"])


@pytest.mark.parametrize(
    "secrets", [[], "secret", b"secret", [""], [b""], ["good", ""], [None], [1]]
)
def test_unusable_secrets_are_refused(secrets: t.Any) -> None:
    with pytest.raises(ConfigurationError, match="secrets"):
        tokens.sign(ID, secrets)


def test_the_cookie_name_is_part_of_the_signature() -> None:
    signed = tokens.sign(ID, ["secret"], "sid")
    assert tokens.verify(signed, ["secret"], "admin") is None


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_prepared_mac_is_the_same_as_itsdangerous_makes(key: bytes, message: bytes) -> None:
    theirs = itsdangerous.Signer(key, key_derivation="none", digest_method=hashlib.sha256)
    mac = tokens.Mac(key)
    assert [mac(message), mac(message)] == [theirs.get_signature(message)] * 2


def test_names_and_salts_do_not_run_together() -> None:
    with_name = itsdangerous.Signer(
        "secret", b"sessionkit.id.v1sid", key_derivation="hmac", digest_method=hashlib.sha256
    )
    assert tokens.verify(with_name.sign(ID).decode(), ["secret"]) is None


@pytest.mark.parametrize("salt", ["cookie-session", "itsdangerous.Signer", "sid", ""])
def test_what_others_signed_with_the_same_secret_is_refused(salt: str) -> None:
    for derivation in ("hmac", "django-concat", "concat", "none"):
        for digest in (hashlib.sha256, None):
            other = itsdangerous.Signer(
                "secret", salt, key_derivation=derivation, digest_method=digest
            )
            assert tokens.verify(other.sign(ID).decode(), ["secret"]) is None


def test_every_flipped_or_missing_character_is_noticed() -> None:
    signed = tokens.sign(ID, ["secret"])

    for place in range(len(signed) - 1):
        other = "A" if signed[place] != "A" else "B"
        assert tokens.verify(signed[:place] + other + signed[place + 1 :], ["secret"]) is None

    for length in range(len(signed)):
        assert tokens.verify(signed[:length], ["secret"]) is None


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", ID, f"{ID}.", f".{ID}", f"{ID}.x", "\ud800", "\0", "ä" * 40, "x" * 9000],
)
def test_garbage_is_no_signed_id(value: str) -> None:
    assert tokens.verify(value, ["secret"]) is None


def test_something_signed_that_is_no_id_is_refused() -> None:
    for value in ("short", "x" * 129, "with space and more than 22", ID + "\n", "é" * 40):
        assert tokens.verify(tokens.sign(value, ["secret"]), ["secret"]) is None


@given(st.text())
def test_verifying_never_raises(value: str) -> None:
    assert tokens.verify(value, ["secret"]) is None
    tokens.Unsigned().verify(value)


@given(st.from_regex(r"[A-Za-z0-9_-]{22,128}", fullmatch=True), st.binary(min_size=1))
def test_what_was_signed_is_verified(session_id: str, secret: bytes) -> None:
    assert tokens.verify(tokens.sign(session_id, [secret]), [secret]) == session_id


@pytest.mark.parametrize(
    ("value", "well_formed"),
    [(ID, True), ("a" * 22, True), ("a" * 21, False), ("a" * 128, True), ("a" * 129, False)]
    + [(ID + end, False) for end in ("\n", " ", "=", ".", "/", "é", "\0")],
)
def test_without_secrets_an_id_must_be_well_formed(value: str, well_formed: bool) -> None:
    assert tokens.Unsigned().verify(value) == (value if well_formed else None)
