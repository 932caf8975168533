"""Keys and records as the core makes them."""

from __future__ import annotations

import secrets
import time

from sessionkit.store import Record


def new_key() -> str:
    """Return a key that no store has seen: 64 hexadecimal characters."""
    return secrets.token_hex(32)


def new_record(
    payload: bytes = b"payload",
    *,
    version: int | None = None,
    expires_at: float | None = None,
    owner: str | None = None,
) -> Record:
    """Return a record; without more it has a random version and an hour to live."""
    return Record(
        payload,
        secrets.randbelow(2**62) if version is None else version,
        time.time() + 3600 if expires_at is None else expires_at,
        owner,
    )


def successor(record: Record, payload: bytes = b"changed", **changes: float | str | None) -> Record:
    """Return what the core would put in the place of *record*: its version is one higher.

    :param changes: ``expires_at`` and ``owner``, where they change too.
    """
    fields = {"expires_at": record.expires_at, "owner": record.owner, **changes}
    return Record(payload, record.version + 1, **fields)  # type: ignore[arg-type]  # checked above
