"""Whatever stands in the store: an anonymous session or less data, at once, and no error page.

Whoever can write there can be anybody; but they cannot run code, and damage is no outage.
"""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import math
import sqlite3
import time
import typing as t

import hypothesis
import ormsgpack
import pytest
from hypothesis import strategies as st

from sessionkit import Record
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import tokens
from sessionkit.codec import Codec
from sessionkit.payload import Header
from sessionkit.payload import Stub
from sessionkit.payload import pack_live
from sessionkit.payload import pack_stub
from sessionkit.stores import open_store
from sessionkit.stores.memory import MemoryStore
from tests.security.sites import Query
from tests.security.sites import Site
from tests.security.sites import flask_site
from tests.security.sites import wsgi_site

#: A newer version of this package wrote what begins so; that is an outage, not damage.
NEWER = tuple(bytes([number]) for number in range(2, 32))

fuzzed = hypothesis.settings(
    max_examples=100,
    deadline=2000,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


def everything(session: t.Any, query: Query) -> str:
    """Use all that there is."""
    seen = [dict(session), session.get("user"), "user" in session, len(session), session.owner]
    seen += [session.meta, session.created_at, session.expires_at, session.public_id]
    seen += [session.flash.peek("note"), session.flash.items(), session.state, repr(session)]
    return str(seen)


def change(session: t.Any, query: Query) -> str:
    session["new"] = 1
    session.mutate("count", lambda count: 1, 0)
    session.flash["new"] = "new"
    return "changed"


def _site(store: t.Any, make: cabc.Callable[[SessionManager], Site] = wsgi_site) -> Site:
    policy = SessionPolicy(queues=("_flashes",), form_tokens=("csrf_token",))
    site = make(SessionManager(store, policy=policy))
    site.views |= {"/everything": everything, "/change": change}
    return site


PATHS = ("/everything", "/show", "/change", "/everything", "/renew", "/login", "/logout", "/clear")


def _survives(site: Site, value: str, restore: cabc.Callable[[], object]) -> None:
    started = time.monotonic()

    for path in PATHS:
        restore()
        assert site.jar(cookies={"sid": value}).get(path).status == 200, path

    restore()
    site.manager.sessions_of("alice")
    site.manager.revoke_all("alice")
    assert time.monotonic() - started < 5


def _logged_in(site: Site) -> str:
    jar = site.jar()
    jar.get("/put", {"csrf_token": "token", "note": "n" * 50})
    jar.get("/login")
    site.views["/flash"] = lambda session, query: str(session.flash.__setitem__("note", {"a": [1]}))
    jar.get("/flash")
    return jar.value or ""


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """A few bytes changed, cut out, doubled or put in."""
    data = bytearray(whole)

    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 12)))
        data[start:end] = draw(
            st.one_of(
                st.binary(max_size=12),
                st.just(bytes(data[start:end] * 2)),
                st.binary(min_size=end - start, max_size=end - start),
            )
        )

    return bytes(data)


def _with_length(payload: bytes) -> bytes:
    """Mend the length, so that the damage is found further in."""
    return payload[:2] + len(payload).to_bytes(8, "big") + payload[10:]


@fuzzed
@hypothesis.given(data=st.data(), mend=st.booleans())
@pytest.mark.parametrize("make", [wsgi_site, flask_site])
def test_a_payload_that_was_changed(
    make: cabc.Callable[[SessionManager], Site], data: st.DataObject, mend: bool
) -> None:
    store = MemoryStore()
    site = _site(store, make)
    value = _logged_in(site)
    key = tokens.digest(value)
    record = store.get(key)
    assert record is not None
    payload = data.draw(mutated(record.payload))
    payload = _with_length(payload) if mend else payload
    hypothesis.assume(not payload.startswith(NEWER))

    def restore() -> None:
        now = store.get(key)
        version = record.version if now is None else now.version + 1
        assert store.swap(key, now, record._replace(payload=payload, version=version))

    _survives(site, value, restore)


numbers = st.integers(-(2**63), 2**63)
odd_times = st.sampled_from(
    [0.0, -1.0, 1e9, 2e9, 4e9, 1e12, 1e15, 1e17, 1e300, -1e300, 5e-324, 253402300799.0, -0.0]
)
encoded = st.one_of(
    st.binary(max_size=30),
    st.binary(max_size=30).map(lambda data: bytes([len(data)]) + data),
    st.sampled_from([1, "text", None, [1], {"a": 1}, (1,), {1: 2}]).map(
        lambda value: Codec().encode(value, "")
    ),
    st.builds(
        lambda code, data: _value(ormsgpack.packb(ormsgpack.Ext(code, data))),
        st.integers(0, 40),
        st.binary(max_size=20),
    ),
    st.builds(
        lambda code, parts: _value(ormsgpack.packb([ormsgpack.Ext(code, b""), *parts])),
        st.integers(30, 40),
        st.lists(st.one_of(numbers, st.lists(numbers, max_size=2)), max_size=4),
    ),
)
keys = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.sampled_from(["user", "count", "csrf_token", "_flashes", "note", "_user_id"]),
)
bags = st.dictionaries(keys, encoded, max_size=5)


def _value(packed: bytes) -> bytes:
    return bytes([len(packed)]) + packed


made_up = st.builds(
    pack_live,
    st.builds(
        Header,
        st.just("abcdefghij_KLMNOPQ-012"),
        odd_times,
        odd_times,
        odd_times,
        st.none() | odd_times,
        st.none() | odd_times,
        st.none() | st.booleans(),
        st.none() | odd_times,
        st.none() | encoded,
    ),
    bags,
    bags,
)


@fuzzed
@hypothesis.given(payload=made_up)
@pytest.mark.parametrize("make", [wsgi_site, flask_site])
def test_a_payload_that_was_made_up(
    make: cabc.Callable[[SessionManager], Site], payload: bytes
) -> None:
    store = MemoryStore()
    site = _site(store, make)
    site.views["/flashes"] = lambda session, query: str(session.get("_flashes"))
    value = tokens.new_id()
    key = tokens.digest(value)

    def restore() -> None:
        now = store.get(key)
        version = 1 if now is None else now.version + 1
        assert store.swap(key, now, Record(payload, version, time.time() + 999, "alice"))

    _survives(site, value, restore)


@fuzzed
@hypothesis.given(
    successor=st.one_of(st.none(), st.text(max_size=5), st.just("f" * 64)), values=bags
)
def test_a_stub_that_was_made_up(successor: str | None, values: dict[str, bytes]) -> None:
    store = MemoryStore()
    site = _site(store)
    value = tokens.new_id()
    key = tokens.digest(value)
    payload = pack_stub(Stub("renewed", successor, values))

    def restore() -> None:
        now = store.get(key)
        version = 1 if now is None else now.version + 1
        assert store.swap(key, now, Record(payload, version, time.time() + 60))

    _survives(site, value, restore)


@fuzzed
@hypothesis.given(data=st.data())
def test_a_value_in_redis_that_was_changed(data: st.DataObject, redis_url: str) -> None:
    import redis

    site = _site(open_store(redis_url))
    value = _logged_in(site)
    name = f"sessionkit:{tokens.digest(value)}"

    with redis.Redis.from_url(redis_url) as client, contextlib.closing(site.store):
        whole: t.Any = client.get(name)
        damaged = data.draw(mutated(whole))
        owner = int.from_bytes(damaged[17:19], "big")
        hypothesis.assume(not damaged[19 + owner :].startswith(NEWER))
        _survives(site, value, lambda: client.set(name, damaged))


@pytest.mark.parametrize("version", [0, 2**63 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("expires_at", [math.nan, math.inf, -math.inf, 1e300, 0.0, None])
def test_a_head_in_redis_that_was_made_up(
    redis_url: str, version: int, expires_at: float | None
) -> None:
    import struct

    import redis

    site = _site(open_store(redis_url))
    value = _logged_in(site)
    name = f"sessionkit:{tokens.digest(value)}"
    until = time.time() + 60 if expires_at is None else expires_at

    with redis.Redis.from_url(redis_url) as client, contextlib.closing(site.store):
        whole: t.Any = client.get(name)
        damaged = struct.pack(">Qd", version, until) + whole[16:]
        _survives(site, value, lambda: client.set(name, damaged))


CELLS: dict[str, tuple[t.Any, ...]] = {
    "payload": ("text", b"", 7, 1.5, "", b"null", b"\x01L", b"\x01S"),
    "version": (0, -1, 2**63 - 1, -(2**63), "text", b"blob", 1.5, b""),
    "expires_at": ("text", b"blob", math.inf, -math.inf, 1e300, -1.0, "", 2**62),
    "owner": (7, b"blob", "", "\0", "a" * 9999, None, 1.5),
}


@pytest.mark.parametrize(
    ("column", "cell"), [(column, cell) for column, cells in CELLS.items() for cell in cells]
)
def test_a_cell_in_sqlite_that_was_changed(tmp_path: t.Any, column: str, cell: t.Any) -> None:
    path = tmp_path / "sessions.sqlite3"
    site = _site(open_store(f"sqlite:///{path}"))
    value = _logged_in(site)
    key = tokens.digest(value)

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        row = db.execute("SELECT * FROM sessionkit_sessions WHERE key = ?", (key,)).fetchone()

        def restore() -> None:
            marks = ", ".join("?" * len(row))
            db.execute(f"REPLACE INTO sessionkit_sessions VALUES ({marks})", row)
            db.execute(
                f"UPDATE sessionkit_sessions SET {column} = ? WHERE key = ?",
                (cell, key),
            )

        _survives(site, value, restore)

    site.store.close()
