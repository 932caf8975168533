"""Whatever is in the cookie or in the engine: what was sealed comes out, and nothing else does."""

from __future__ import annotations

import typing as t

import hypothesis
import pytest
from hypothesis import strategies as st

from sessionkit import SealedSessionManager
from sessionkit import keys
from sessionkit.cookie import Set
from sessionkit.encryption import EncryptedStore
from sessionkit.errors import PayloadTooLarge
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.security.sites import KINDS
from tests.security.sites import site_of
from tests.security.test_fuzz_cookie import headers

SECRET = keys.new_key()
MANAGERS = [SealedSessionManager([SECRET], encrypted=encrypted) for encrypted in (True, False)]

fuzzed = hypothesis.settings(max_examples=100, deadline=2000)
each_way = pytest.mark.parametrize("manager", MANAGERS, ids=["encrypted", "signed"])

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.binary(max_size=50),
        st.datetimes(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    ),
    max_leaves=10,
)
sessions = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20), values, max_size=6
)


@fuzzed
@hypothesis.given(headers)
@hypothesis.example("sid=" + "A" * 100_000)
@hypothesis.example("sid=" + "A" * 4050 + "." + "A" * 43)
@hypothesis.example("sid=." + "A" * 43)
@each_way
@pytest.mark.parametrize("kind", KINDS)
def test_any_header_is_anonymous(kind: str, manager: SealedSessionManager, header: str) -> None:
    with site_of(kind, manager) as site:
        for path in ("/whoami", "/logout", "/renew", "/clear"):
            answer = site.jar().get(path, HTTP_COOKIE=header)
            assert (answer.status, answer.set_cookie) == (200, None)


@fuzzed
@hypothesis.given(sessions)
@each_way
def test_what_goes_in_comes_out_or_does_not_fit(
    manager: SealedSessionManager, given: dict[str, t.Any]
) -> None:
    session = manager.open()
    session.update(given)

    try:
        instruction = manager.commit(session)
    except PayloadTooLarge:
        return

    if isinstance(instruction, Set):
        assert dict(manager.open(f"sid={instruction.value}")) == given
    else:
        assert given == {}


@fuzzed
@hypothesis.given(st.data())
@each_way
def test_a_cookie_that_was_edited_is_none_of_ours(
    manager: SealedSessionManager, data: st.DataObject
) -> None:
    session = manager.open()
    session["user"] = "alice"
    instruction = manager.commit(session)
    assert isinstance(instruction, Set)
    value = instruction.value
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, min(len(value), start + 8)))
    between = data.draw(st.text(st.sampled_from("AZaz09-_.=+/ \x00é"), max_size=8))
    edited = value[:start] + between + value[end:]
    hypothesis.assume(edited != value)
    assert manager.verify(edited) is None
    assert dict(manager.open(f"sid={edited}")) in ({}, {"user": "alice"})


@fuzzed
@hypothesis.given(st.binary(max_size=300), st.booleans())
@hypothesis.example(b"\x1fL", False)
@hypothesis.example(b"\x1fL" + (18).to_bytes(8, "big") + bytes(8), False)
def test_any_bytes_in_the_engine_are_no_session(planted: bytes, mark: bool) -> None:
    engine = MemoryStore()
    key = new_key()
    head = b"\x1fL" + (len(planted) + 10).to_bytes(8, "big") if mark else b""
    assert engine.swap(key, None, new_record(head + planted))
    assert EncryptedStore(engine, [SECRET]).get(key) is None
