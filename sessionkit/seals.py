"""Seals: bytes to the value of a cookie that nobody else can make, and back.

Nothing is compressed: the length would tell how much of a secret is like something that an attacker
put beside it.
"""

from __future__ import annotations

import base64
import collections.abc as cabc
import os
import typing as t

from .errors import ConfigurationError
from .errors import DecodeError
from .keys import strong_secrets
from .tokens import Secrets
from .tokens import derived_signer

#: Browsers do not keep longer ones, so nothing longer is looked into.
MAX_VALUE: t.Final = 4096

_SIGNATURE_SIZE = 43
# The four bits beyond the 32 bytes of a signature are zero; others would decode to the same.
_SIGNATURE_ENDS = frozenset("AEIMQUYcgkosw048")


class Seal(t.Protocol):
    """Makes and opens the values of one cookie."""

    def seal(self, data: bytes) -> str:
        """Return *data* as a cookie's value."""
        ...

    def open(self, value: str) -> bytes | None:
        """Return what is in a cookie's *value*, or None if we have not made it like that."""
        ...


class SignedSeal:
    """The browser can read the data and cannot change it.

    :param secrets: newest first.
    :param name: the cookie's name: another cookie's value is none of ours.
    """

    def __init__(self, secrets: Secrets, name: str) -> None:
        purpose = b"sessionkit.cookie.v1\0" + name.encode()
        self._signer = derived_signer(strong_secrets(secrets), purpose)

    def seal(self, data: bytes) -> str:
        return self._signer.sign(_encoded(data)).decode()

    def open(self, value: str) -> bytes | None:
        text, _, signature = value.rpartition(".")

        if (
            len(value) > MAX_VALUE
            or len(signature) != _SIGNATURE_SIZE
            or signature[-1] not in _SIGNATURE_ENDS
            or not value.isascii()
            or not self._signer.verify_signature(text.encode(), signature.encode())
        ):
            return None

        return _decoded(text)


class EncryptedSeal:
    """The browser can neither read the data nor change it.

    :param secrets: newest first.
    :param name: the cookie's name: another cookie's value is none of ours.
    :param random_bytes: returns so many unguessable bytes.
    """

    def __init__(
        self,
        secrets: Secrets,
        name: str,
        random_bytes: cabc.Callable[[int], bytes] = os.urandom,
    ) -> None:
        try:
            from .aead import Keyring
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{error}; or pass encrypted=False, if everybody may read what is in their session"
            ) from error

        purpose = b"sessionkit.encrypted-cookie.v1\0" + name.encode()
        self._keyring = Keyring(secrets, purpose, random_bytes)

    def seal(self, data: bytes) -> str:
        return _encoded(self._keyring.seal(data)).decode()

    def open(self, value: str) -> bytes | None:
        sealed = _decoded(value) if len(value) <= MAX_VALUE else None

        try:
            return None if sealed is None else self._keyring.open(sealed)
        except DecodeError:
            return None


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decoded(text: str) -> bytes | None:
    """Return the bytes that are encoded as exactly this *text*."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None

    # Python's decoder skips what is no letter of the alphabet.
    return data if _encoded(data) == text.encode() else None
