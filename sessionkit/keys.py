"""Secrets that protect data: refused if they are weak, turned into a key for each purpose."""

from __future__ import annotations

import hmac
import itertools
import secrets

from .errors import ConfigurationError
from .tokens import Secrets
from .tokens import secret_bytes

#: Characters that a secret has at least; 32 hexadecimal digits are 128 bits.
MIN_LENGTH = 32

#: Different pairs of neighbours among them. 32 random hexadecimal digits have 29 or so; a word that
#: is repeated has as many as it has letters.
MIN_PAIRS = 20

_HASH = "sha256"
_HASH_SIZE = 32


def new_key() -> str:
    """Return a new secret: 256 random bits as 43 URL-safe characters.

    >>> len(new_key())
    43
    """
    return secrets.token_urlsafe(32)


def strong_secrets(given: Secrets) -> list[bytes]:
    """Return the secrets as bytes, in the same order.

    :raises ConfigurationError: if one of them could be guessed, or is none. The text shows none.
    """
    checked = secret_bytes(given)

    for secret in checked:
        if len(secret) < MIN_LENGTH or len({*itertools.pairwise(secret)}) < MIN_PAIRS:
            raise ConfigurationError(
                f"one of the secrets is too weak to protect data: it needs {MIN_LENGTH} characters "
                "or more that do not repeat themselves. Make one with: "
                'python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )

    return checked


def derive(secret: bytes, purpose: bytes, length: int = _HASH_SIZE) -> bytes:
    """Return a key that tells nothing about *secret* or about its keys for other purposes.

    HKDF with SHA-256 and without a salt (RFC 5869).
    """
    extracted = hmac.digest(bytes(_HASH_SIZE), secret, _HASH)
    key = block = b""

    for number in range(1, -(-length // _HASH_SIZE) + 1):
        block = hmac.digest(extracted, block + purpose + bytes([number]), _HASH)
        key += block

    return key[:length]
