"""Authenticated encryption with a list of keys: AES-256-GCM, each message under a key of its own.

Of some thousand million random nonces of 12 bytes two may be the same, and GCM then gives
everything away. So 24 random bytes are drawn: 12 make the message's key, 12 are its nonce.
AES-GCM-SIV would forgive a nonce that is used twice, but is not to be had everywhere: servers that
share sessions could not read each other's.
"""

from __future__ import annotations

import collections.abc as cabc
import hmac
import os
import typing as t

from .errors import ConfigurationError
from .errors import DecodeError
from .keys import derive
from .keys import strong_secrets
from .tokens import Secrets

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ModuleNotFoundError as _error:
    raise ConfigurationError(
        f'encryption needs a library that is missing ({_error}): pip install "wsgi-sessionkit'
        '[encryption]"'
    ) from _error

_ID_SIZE: t.Final = 4
_KEY_SIZE: t.Final = 32
_HALF: t.Final = 12
_START: t.Final = _ID_SIZE + 2 * _HALF
_TAG_SIZE: t.Final = 16


class UnknownKey(DecodeError):
    """A message was encrypted with a key that is not in the list."""


class Keyring:
    """Encrypts with the newest key, decrypts with the one that a message names.

    :param secrets: newest first.
    :param purpose: what was encrypted for one cannot be decrypted for another.
    :param random_bytes: returns so many unguessable bytes.
    :raises ConfigurationError: if a secret is weak.
    """

    def __init__(
        self,
        secrets: Secrets,
        purpose: bytes,
        random_bytes: cabc.Callable[[int], bytes] = os.urandom,
    ) -> None:
        derived = [
            derive(secret, purpose, _ID_SIZE + _KEY_SIZE) for secret in strong_secrets(secrets)
        ]
        self._keys = {both[:_ID_SIZE]: both[_ID_SIZE:] for both in derived}
        self._newest = derived[0][:_ID_SIZE]
        self._random_bytes = random_bytes

    def seal(self, plaintext: bytes, context: bytes = b"") -> bytes:
        """Return *plaintext* encrypted: the key's name, 24 random bytes, the text, the tag.

        :param context: is not contained, and must be the same when this is opened.
        """
        drawn = self._random_bytes(2 * _HALF)
        cipher = _cipher(self._keys[self._newest], drawn)
        return self._newest + drawn + cipher.encrypt(drawn[_HALF:], plaintext, context)

    def open(self, sealed: bytes, context: bytes = b"") -> bytes:
        """Return what was encrypted.

        :raises UnknownKey: if that was done with a key that is not in the list.
        :raises DecodeError: if *sealed* or *context* is not what it was then.
        """
        if len(sealed) < _START + _TAG_SIZE:
            raise DecodeError("what was encrypted is cut off")

        key = self._keys.get(sealed[:_ID_SIZE])

        if key is None:
            raise UnknownKey("it was encrypted with a key that is not in the list")

        drawn = sealed[_ID_SIZE:_START]

        try:
            return _cipher(key, drawn).decrypt(drawn[_HALF:], sealed[_START:], context)
        except InvalidTag:
            raise DecodeError("what was encrypted has been changed") from None


def _cipher(key: bytes, drawn: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, drawn[:_HALF], "sha256"))
