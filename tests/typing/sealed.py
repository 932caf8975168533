"""What a type checker says about sessions without a store, and about encrypted stores."""

from __future__ import annotations

import typing as t

from flask import Flask
from typing_extensions import assert_type

from flask_sessionkit import SessionKit
from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit.base_manager import BaseManager
from sessionkit.encryption import EncryptedStore
from sessionkit.keys import new_key
from sessionkit.store import Record
from sessionkit.stores import open_store

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def both_managers_go_everywhere(app: WSGIApplication, site: Flask) -> None:
    for manager in (
        SealedSessionManager([new_key(), b"older"]),
        SessionManager(open_store("memory:")),
    ):
        SessionMiddleware(app, manager)
        SessionKit(site, manager=manager)
        assert_type(manager.open("sid=value"), Session)
        assert_type(manager.open().manager, BaseManager)


def a_store_is_encrypted() -> None:
    store = EncryptedStore(open_store("memory:"), [new_key()], accept_plaintext=True)
    SessionManager(store)
    assert_type(store.get("0" * 64), Record | None)


def mistakes() -> None:
    SealedSessionManager("secret", encrypt=True)  # type: ignore[call-arg]
    SealedSessionManager([1])  # type: ignore[list-item]
    EncryptedStore("memory:", [new_key()])  # type: ignore[arg-type]
