"""EncryptedStore: encryption at rest for any store."""

from __future__ import annotations

import collections.abc as cabc
import hmac
import logging
import os
import struct
import typing as t
import zlib

from .aead import Keyring
from .aead import UnknownKey
from .errors import ConfigurationError
from .errors import DecodeError
from .errors import StoreUnavailable
from .keys import derive
from .keys import strong_secrets
from .store import Moving
from .store import Owned
from .store import Record
from .store import Store
from .tokens import Secrets

_logger = logging.getLogger("sessionkit")

#: What is written begins like a payload of a later format, and with its length: a process that does
#: not decrypt takes the session for unavailable, and leaves it alone, instead of ending it. Then
#: comes a checksum of the first bytes: a damaged name of a key is not a key that we do not have.
_PREFIX: t.Final = struct.Struct(">2sQI")
_CHECKED: t.Final = slice(28)
_MARK: t.Final = b"\x1fL"

#: What precedes the payload inside: the expiry and the length of the owner, whose bytes follow.
_HEAD: t.Final = struct.Struct(">dH")

#: What a store may have beside methods that read and write records. Nothing else is passed on: it
#: might bypass the encryption.
_PASSED_ON: t.Final = (
    *("sweep", "keys", "count", "clear", "node_of", "close"),
    *("path", "in_transaction", "when_committed"),
)


class _Opened(Record):
    """A decrypted record. Its fields are the true ones; the store is shown its own again."""

    stored: Record | None = None


class EncryptedStore:
    """Keeps sessions encrypted in another store, and can do what that store can.

    What is encrypted and authenticated: the data, whose session it is, and when it ends, for one
    key and one version of its record. The engine sees how large a session is, when it is written
    and expires, and which sessions are the same owner's, under a name that tells nothing. It can
    still forget a session, or bring back all of an earlier state of it.

    :param store: any store.
    :param keys: secrets of at least 32 characters, newest first. The first encrypts, all decrypt; a
        session is encrypted anew whenever it is written.
        Without the key of a session it is unavailable, not absent.
    :param accept_plaintext: also read what was written before there was encryption. Whoever can
        write to the engine can then make sessions up: set it for one idle time, not for ever.
    :param random_bytes: returns so many unguessable bytes.
    :raises ConfigurationError: if a key is weak, or the library is not installed.

    >>> from sessionkit.keys import new_key
    >>> from sessionkit.stores.memory import MemoryStore
    >>> store = EncryptedStore(MemoryStore(), [new_key()])
    >>> store.swap("0" * 64, None, Record(b"secret", 1, 2e9, "ann"))
    True
    >>> store.get("0" * 64).owner, b"secret" in store.store.get("0" * 64).payload
    ('ann', False)
    """

    def __init__(
        self,
        store: Store,
        keys: Secrets,
        *,
        accept_plaintext: bool = False,
        random_bytes: cabc.Callable[[int], bytes] = os.urandom,
    ) -> None:
        if isinstance(store, type) or not callable(getattr(store, "swap", None)):
            raise ConfigurationError(
                f"store must be a store such as open_store(url), not {type(store).__name__}"
            )

        self.store = store
        self._accepts_plaintext = accept_plaintext
        self._keyring = Keyring(keys, b"sessionkit.store.v1", random_bytes)
        self._owner_keys = [
            derive(secret, b"sessionkit.owner.v1") for secret in strong_secrets(keys)
        ]

        for name in _PASSED_ON:
            if hasattr(store, name):
                setattr(self, name, getattr(store, name))

        for name, method in (("move", self._move), ("owned_by", self._owned_by)):
            if hasattr(store, name):
                setattr(self, name, method)

    def __repr__(self) -> str:
        return f"<EncryptedStore on {self.store!r}>"

    def get(self, key: str, /) -> Record | None:
        """Return the record, decrypted.

        None too if it has been tampered with, or moved here from elsewhere: that is logged.

        :raises StoreUnavailable: if it was encrypted with a key that this process does not have.
        """
        stored = self.store.get(key)
        return None if stored is None else self._opened(key, stored)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        shown = None if expected is None else self._shown(expected)
        return self.store.swap(key, shown, self._sealed(key, record))

    def delete(self, key: str, expected: Record, /) -> bool:
        return self.store.delete(key, self._shown(expected))

    def _move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        return t.cast(Moving, self.store).move(
            old_key,
            self._shown(expected),
            self._sealed(old_key, stub),
            new_key,
            self._sealed(new_key, record),
        )

    def _owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        names = [_hidden(owner, key) for key in self._owner_keys]
        names += [owner] if self._accepts_plaintext else []
        listed = (t.cast(Owned, self.store).owned_by(name, now) for name in names)
        return list(dict.fromkeys(key for keys in listed for key in keys))

    def _sealed(self, key: str, record: Record) -> Record:
        payload, version, expires_at, owner = record
        name = b"" if owner is None else owner.encode()
        hidden = None if owner is None else _hidden(owner, self._owner_keys[0])
        sealed = self._keyring.seal(
            _HEAD.pack(expires_at, len(name)) + name + payload, _context(key, version, hidden)
        )
        return Record(_prefix(sealed) + sealed, version, expires_at, hidden)

    def _opened(self, key: str, stored: Record) -> Record | None:
        payload = stored.payload

        if self._accepts_plaintext and not payload.startswith(_MARK):
            return _remembering(stored, Record._make(stored))

        try:
            sealed = _unwrapped(payload)
            opened = self._keyring.open(sealed, _context(key, stored.version, stored.owner))
        except UnknownKey:
            # Not None: a server that has no new key yet would log people out.
            raise StoreUnavailable(
                "a session was encrypted with a key that is not in the list; give a new key to "
                "every process before it becomes the first, and keep an old one for an idle time; "
                "if it was dropped to end its sessions, clear the store"
            ) from None
        except DecodeError:
            _logger.warning("a session's record cannot be decrypted; it is treated as absent")
            return None

        expires_at, length = _HEAD.unpack_from(opened)
        start = _HEAD.size + length
        owner = None if stored.owner is None else opened[_HEAD.size : start].decode()
        return _remembering(stored, Record(opened[start:], stored.version, expires_at, owner))

    def _shown(self, expected: Record) -> Record:
        """Return what the store itself has returned, or the like of it."""
        if isinstance(expected, _Opened) and expected.stored is not None:
            return expected.stored

        owner = expected.owner
        hidden = None if owner is None else _hidden(owner, self._owner_keys[0])
        return Record(b"", expected.version, expected.expires_at, hidden)


def _remembering(stored: Record, record: Record) -> Record:
    opened = _Opened._make(record)
    opened.stored = stored
    return opened


def _prefix(sealed: bytes) -> bytes:
    return _PREFIX.pack(_MARK, _PREFIX.size + len(sealed), zlib.crc32(sealed[_CHECKED]))


def _unwrapped(payload: bytes) -> bytes:
    sealed = payload[_PREFIX.size :]

    if payload[: _PREFIX.size] != _prefix(sealed):
        raise DecodeError("a stored session is damaged, or was never encrypted")

    return sealed


def _context(key: str, version: object, hidden: str | None) -> bytes:
    # Engines keep what anybody puts there: it is compared, never believed.
    return f"{key} {version} {hidden}".encode(errors="backslashreplace")


def _hidden(owner: str, key: bytes) -> str:
    return hmac.digest(key, owner.encode(), "sha256").hex()
