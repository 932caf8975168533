"""Session ids: make, sign, verify, digest.

An id is 30 random bytes, 40 URL-safe characters. The browser holds the id, signed if there are
secrets; the store only ever sees its SHA-256.
"""

from __future__ import annotations

import binascii
import collections.abc as cabc
import hashlib
import hmac
import os
import re
import typing as t

import itsdangerous

from .errors import ConfigurationError

#: Ids made here have 40 characters; an id that server code chose may have 22 (128 bits) to 128.
is_well_formed: t.Final = re.compile(r"[A-Za-z0-9_-]{22,128}", re.ASCII).fullmatch
_signed: t.Final = re.compile(r"([A-Za-z0-9_-]{22,128})\.([A-Za-z0-9_-]{43})", re.ASCII).fullmatch

#: Bytes that SHA-256 takes at once.
_BLOCK: t.Final = 64

Secrets = cabc.Sequence["str | bytes"]


_URL_SAFE: t.Final = bytes.maketrans(b"+/", b"-_")


def _base64(data: bytes) -> bytes:
    """Return *data* as URL-safe base64 (RFC 4648 section 5)."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE)


class Identity(t.NamedTuple):
    """What is drawn for a new session, each independent of the others."""

    #: 240 bits as 40 URL-safe characters.
    session_id: str
    #: 128 bits as 22 URL-safe characters, for lists, logs and foreign keys.
    public_id: str
    #: Below 2**62; a record's versions count up from it.
    first_version: int

    def __repr__(self) -> str:
        return "<Identity>"


class Randomness:
    """Draws what must not be guessed.

    :param source: returns so many random bytes, as ``os.urandom`` does.
    """

    def __init__(self, source: cabc.Callable[[int], bytes] = os.urandom) -> None:
        self._source = source

    def session_id(self) -> str:
        """Return 240 bits as 40 URL-safe characters."""
        return _base64(self._source(30)).decode()

    def identity(self) -> Identity:
        """Return what makes a session; asking the system costs more than what it draws."""
        drawn = self._source(54)
        text = _base64(drawn[:46]).decode()
        return Identity(text[:40], text[40:62], int.from_bytes(drawn[46:], "big") >> 2)

    def fraction(self) -> float:
        """Return a number from 0 to 1."""
        return int.from_bytes(self._source(2), "big") / 0xFFFF


def new_id() -> str:
    """Return a new session id: 240 bits from the system's random source.

    >>> len(new_id())
    40
    """
    return Randomness().session_id()


def digest(session_id: str) -> str:
    """Return the key under which a store knows *session_id*: 64 hexadecimal characters.

    >>> len(digest("an-id-of-at-least-22-characters"))
    64
    """
    return hashlib.sha256(session_id.encode()).hexdigest()


def sign(session_id: str, secrets: Secrets, name: str = "sid") -> str:
    """Return *session_id* signed for a cookie called *name*.

    :param secrets: newest first; the first one signs.
    :raises ConfigurationError: if there is no usable secret.

    >>> sign("an-id-of-at-least-22-characters", ["a secret"]).startswith("an-id-of")
    True
    """
    return Signer(secrets, name).sign(session_id)


def verify(value: str, secrets: Secrets, name: str = "sid") -> str | None:
    """Return the session id in a cookie's signed *value*, or None if it was not signed by us.

    :param secrets: any of them may have signed it.

    >>> signed = sign("an-id-of-at-least-22-characters", ["old"])
    >>> verify(signed, ["new", "old"])
    'an-id-of-at-least-22-characters'
    >>> verify(signed, ["new"]) is None
    True
    """
    return Signer(secrets, name).verify(value)


class Unsigned:
    """The cookie's value is the bare id: 240 random bits need no signature."""

    def sign(self, session_id: str) -> str:
        return session_id

    def verify(self, value: str) -> str | None:
        return value if is_well_formed(value) else None


def secret_bytes(secrets: Secrets) -> list[bytes]:
    """Return the secrets as bytes, in the same order.

    :raises ConfigurationError: if they are no list, or one of them is none.
    """
    # Arguments are checked at run time too, for callers without a type checker.
    is_list = isinstance(secrets, cabc.Sequence) and not isinstance(secrets, (str, bytes))

    if not is_list or not secrets:
        raise ConfigurationError("secrets must be a list of text or bytes, newest first")

    return [_checked(secret) for secret in secrets]


def _checked(secret: object) -> bytes:
    if not isinstance(secret, (str, bytes)) or not secret:
        raise ConfigurationError("each of the secrets must be text or bytes, and not empty")

    try:
        return secret.encode() if isinstance(secret, str) else secret
    except UnicodeEncodeError:
        raise ConfigurationError("one of the secrets contains lone surrogates") from None


def derived_signer(secrets: Secrets, purpose: bytes) -> itsdangerous.Signer:
    """Return a signer whose keys serve *purpose* only, and are derived once.

    :param secrets: newest first.
    """
    # itsdangerous takes keys oldest first and signs with the last.
    deriving = itsdangerous.Signer(
        secret_bytes(secrets)[::-1],
        salt=purpose,
        key_derivation="hmac",
        digest_method=hashlib.sha256,
    )
    return itsdangerous.Signer(
        [deriving.derive_key(secret) for secret in deriving.secret_keys],
        key_derivation="none",
        digest_method=hashlib.sha256,
    )


class Mac:
    """HMAC-SHA-256 (RFC 2104) with a key that is prepared once, in itsdangerous' base64.

    The work of a whole verification is small beside what setting up ``hmac.new`` costs each time.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def __call__(self, message: bytes) -> bytes:
        """Return 43 URL-safe characters."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return _base64(outer.digest())[:43]


class Signer:
    """Signs and verifies ids with keys that are derived once.

    The cookies are those of :class:`itsdangerous.Signer`, down to the byte.

    :param secrets: newest first.
    :param name: the cookie's name, bound into the signature.
    :param bare_ids: take ids without a signature too.
    """

    def __init__(self, secrets: Secrets, name: str, *, bare_ids: bool = False) -> None:
        self._bare_ids = bare_ids
        signer = derived_signer(secrets, b"sessionkit.id.v1\0" + name.encode())
        self._macs = [Mac(key) for key in reversed(signer.secret_keys)]

    def sign(self, session_id: str) -> str:
        return f"{session_id}.{self._macs[0](session_id.encode()).decode()}"

    def verify(self, value: str) -> str | None:
        signed = _signed(value)

        if signed is None:
            # A signed value has a dot in it, so it is never taken for a bare id.
            return value if self._bare_ids and is_well_formed(value) else None

        session_id, signature = signed[1], signed[2]
        message, given = session_id.encode(), signature.encode()

        for mac in self._macs:
            if hmac.compare_digest(mac(message), given):
                return session_id

        return None
