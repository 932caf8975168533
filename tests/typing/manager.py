"""What an editor shows for manager, policy, cookie, middleware and stores. Never run."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import datetime
import enum
import typing as t
from wsgiref.simple_server import make_server

from _typeshed.wsgi import WSGIApplication
from typing_extensions import assert_type

from sessionkit import CookieOptions
from sessionkit import Count
from sessionkit import CustomType
from sessionkit import Record
from sessionkit import Session
from sessionkit import SessionInfo
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit import Store
from sessionkit import errors
from sessionkit import signals
from sessionkit import tokens
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.stores import open_store
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock


class Colour(enum.Enum):
    RED = 1


class DictStore:
    """A store that somebody else wrote: it inherits from nothing."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}

    def get(self, key: str, /) -> Record | None:
        return self._records.get(key)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        return bool(self._records.setdefault(key, record))

    def delete(self, key: str, expected: Record, /) -> bool:
        return bool(self._records.pop(key, None))


class ForgetfulStore:
    """Its ``get`` takes no key."""

    def get(self) -> Record | None:
        return None

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        return False

    def delete(self, key: str, expected: Record, /) -> bool:
        return False


def stores() -> None:
    opened: Store = open_store("memory:")
    own: Store = DictStore()
    wrong: Store = ForgetfulStore()  # type: ignore[assignment]
    SessionManager(opened)
    SessionManager(own)
    SessionManager(wrong)
    SessionManager("memory:")  # type: ignore[arg-type]


def configuring(clock: FakeClock) -> SessionManager:
    return SessionManager(
        MemoryStore(),
        secrets=["newest", b"older"],
        policy=SessionPolicy(idle_timeout=3600, absolute_timeout=datetime.timedelta(days=14)),
        cookie=CookieOptions(name="sid", samesite="Strict", secure="auto"),
        types=[Colour, CustomType(set, "set", list, set)],
        clock=clock,
        sleep=clock.sleep,
    )


def mistakes() -> None:
    SessionManager(MemoryStore(), secrets=[1])  # type: ignore[list-item]
    SessionManager(MemoryStore(), secret="one")  # type: ignore[call-arg]
    SessionPolicy(idle_timeout="1 hour")  # type: ignore[arg-type]
    SessionPolicy(outage="ignore")  # type: ignore[arg-type]
    SessionPolicy(timeout=60)  # type: ignore[call-arg]
    CookieOptions(samesite="lax")  # type: ignore[arg-type]
    CookieOptions(secure="yes")  # type: ignore[arg-type]
    CookieOptions().name = "other"  # type: ignore[misc]


def using(manager: SessionManager) -> None:
    session = manager.open("sid=value")
    assert_type(session, Session)
    assert_type(manager.open(), Session)
    assert_type(manager.load("id"), Session | None)
    assert_type(manager.start(cookie=CookieOptions(path="/device")), Session)
    assert_type(manager.save(session), bool)
    assert_type(manager.sessions_of("ann"), list[SessionInfo])
    assert_type(manager.sessions_of("ann", current=manager.open()), list[SessionInfo])
    assert_type(manager.revoke(7, "public-id"), bool)
    assert_type(manager.revoke_all("ann", except_=session), int)
    assert_type(manager.purge(), int)
    assert_type(manager.count(), Count)
    assert_type(manager.count().ownerless, int)


def optional_results_must_be_looked_at(manager: SessionManager) -> None:
    manager.load("id")["user"]  # type: ignore[index]


def committing(manager: SessionManager, session: Session) -> str | None:
    try:
        instruction = manager.commit(session, ok=True)
    except errors.StoreUnavailable as error:
        instruction = error.instruction

    if isinstance(instruction, Set):
        assert_type(instruction.max_age, int | None)
        return session.cookie.set_header(instruction, https=True)

    if isinstance(instruction, Delete):
        return session.cookie.delete_header(https=True)

    assert_type(instruction, None)
    return None


def listing(info: SessionInfo) -> None:
    assert_type(info.public_id, str)
    assert_type(info.seen_at, float)
    assert_type(info.meta, dict[str, t.Any])
    assert_type(info.label, str | None)
    assert_type(info.is_current, bool)


def ids() -> None:
    assert_type(tokens.new_id(), str)
    assert_type(tokens.sign("id", ["secret"]), str)
    assert_type(tokens.verify("value", ["secret"]), str | None)


def wrapping(app: WSGIApplication, manager: SessionManager) -> None:
    wrapped: WSGIApplication = SessionMiddleware(app, manager, environ_key="session")
    make_server("", 8000, SessionMiddleware(wrapped, manager))
    SessionMiddleware(app, MemoryStore())  # type: ignore[arg-type]
    SessionMiddleware(app)  # type: ignore[call-arg]


def listening(manager: SessionManager) -> None:
    def receive(sender: SessionManager, *, session: Session, keys: set[str], **_: object) -> None:
        assert_type(session.owner, str | None)

    signals.saved.connect(receive, sender=manager)


def errors_have_one_root(error: errors.SessionError) -> None:
    assert_type(error.instruction, Set | Delete | None)


def they_are_what_callers_catch_anyway(
    configuration: errors.ConfigurationError, value: errors.ValueNotSupported
) -> tuple[ValueError, TypeError, errors.SessionError]:
    return configuration, value, value
