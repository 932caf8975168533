"""The engine by itself, as commands, consumers and the test client use it."""

from __future__ import annotations

import asyncio
import datetime
import typing as t

import pytest
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.test import override_settings

from django_sessionkit import get_manager
from django_sessionkit.engine import SessionStore
from sessionkit.errors import SessionConflict
from sessionkit.errors import ValueNotSupported
from sessionkit.tokens import sign
from tests.spies import Spy

pytestmark = pytest.mark.usefixtures("store")


def stored(**values: t.Any) -> str:
    """Return the key of a session with these values."""
    session = SessionStore()
    session.update(values)
    session.save()
    return t.cast(str, session.session_key)


def test_the_key_is_a_bare_id_that_stays() -> None:
    session = SessionStore()
    session["a"] = 1
    session.save()
    key = session.session_key
    session["a"] = 2
    session.save()
    assert key is not None
    assert len(key) == 40
    assert session.session_key == key
    assert SessionStore(key)["a"] == 2


def test_a_signed_key_is_taken_as_well() -> None:
    get_manager()
    secrets = {"STORE": "memory:", "SECRETS": ["s3cret"]}

    with override_settings(SESSIONKIT=secrets):
        key = stored(a=1)
        signed = sign(key, ["s3cret"], "sessionid")
        assert SessionStore(signed).session_key == key
        assert SessionStore(signed)["a"] == SessionStore(key)["a"] == 1


@pytest.mark.parametrize("key", ["x" * 40, "é" * 9000, "1", "../../etc/passwd", "\0" * 30])
def test_an_unknown_key_is_never_adopted(key: str) -> None:
    session = SessionStore(key)
    session["a"] = 1
    assert session.session_key is None
    session.save()
    assert session.session_key not in (None, key)


def test_nothing_is_read_before_it_is_needed(spy: Spy) -> None:
    key = stored(a=1)
    spy.last_calls()
    session = SessionStore(key)
    assert session.session_key == key
    assert not session.is_empty()
    assert not session.modified
    assert spy.last_calls() == []


def test_two_who_write_different_keys_both_survive() -> None:
    key = stored(a=1)
    one, other = SessionStore(key), SessionStore(key)
    one["b"] = other["c"] = 2
    one.save()
    other.save()
    assert SessionStore(key).load() == {"a": 1, "b": 2, "c": 2}


def test_changes_inside_of_values_are_noticed() -> None:
    session = SessionStore(stored(cart=["tea"]))
    assert not session.modified
    session["cart"].append("milk")
    assert session.modified
    session.save()
    assert SessionStore(session.session_key)["cart"] == ["tea", "milk"]


def test_values_keep_their_types_or_are_refused() -> None:
    when = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    session = SessionStore(stored(when=when, tags={"a"}, pair=(1, 2)))
    assert session.load() == {"when": when, "tags": {"a"}, "pair": (1, 2)}

    with pytest.raises(ValueNotSupported, match="thing"):
        session["thing"] = object()

    with pytest.raises(TypeError, match="text"):
        session[1] = "a number"  # type: ignore[index]


def test_load_reads_again_and_leaves_what_was_loaded() -> None:
    key = stored(a=1)
    session = SessionStore(key)
    assert session["a"] == 1
    other = SessionStore(key)
    other["a"] = 2
    other.save()
    assert session.load() == {"a": 2}
    assert session["a"] == 1


def test_saving_what_was_ended_raises() -> None:
    session = SessionStore(stored(a=1))
    session["b"] = 2
    SessionStore(session.session_key).delete()

    with pytest.raises(UpdateError):
        session.save()

    assert session.load() == {}
    assert session.session_key is None


def test_must_create_refuses_what_exists() -> None:
    with pytest.raises(CreateError):
        SessionStore(stored(a=1)).save(must_create=True)


def test_create_saves_under_a_new_key() -> None:
    key = stored(a=1)
    session = SessionStore(key)
    session.create()
    assert session.session_key != key
    assert session.exists(session.session_key)
    assert not session.exists(key)


def test_a_new_key_is_known_and_valid_at_once() -> None:
    session = SessionStore(stored(a=1))
    old, public_id = session.session_key, session.public_id
    session.cycle_key()
    assert session.session_key != old
    assert SessionStore(session.session_key).load() == {"a": 1}
    assert not session.exists(old)
    assert session.public_id == public_id


def test_a_replaced_key_stays_and_shows_nothing_but_form_tokens() -> None:
    session = SessionStore(stored(a=1, _csrftoken="token"))
    old = t.cast(str, session.session_key)
    session.cycle_key()
    late = SessionStore(old)
    assert list(late.keys()) == []
    assert late.get("a") is None
    assert late["_csrftoken"] == "token"
    assert late.session_key == old
    assert not late.is_empty()
    late["b"] = 1

    with pytest.raises(UpdateError):
        late.save()


def test_of_those_who_renew_at_once_the_losers_keep_their_data_and_save_nothing() -> None:
    key = stored(a=1)
    winner, loser = SessionStore(key), SessionStore(key)
    assert winner["a"] == loser["a"] == 1
    winner.cycle_key()
    loser.cycle_key()
    loser["b"] = 2
    assert loser["a"] == 1
    assert loser.session_key == key
    assert not loser.modified
    assert SessionStore(winner.session_key).load() == {"a": 1}


def test_flush_with_a_replaced_key_ends_what_replaced_it() -> None:
    session = SessionStore(stored(a=1))
    old = session.session_key
    session.cycle_key()
    SessionStore(old).flush()
    assert not session.exists(session.session_key)


def test_flush_then_write_makes_another_session() -> None:
    session = SessionStore(stored(a=1))
    old = session.session_key
    session.flush()
    assert session.session_key is None
    assert session.is_empty()
    session["b"] = 2
    session.save()
    assert session.session_key != old
    assert session.load() == {"b": 2}


def test_clear_then_write_keeps_nothing_of_before_and_not_the_key() -> None:
    session = SessionStore(stored(a=1))
    old = session.session_key
    session.clear()
    session["b"] = 2
    session.save()
    assert session.load() == {"b": 2}
    assert not session.exists(old)


def test_clear_and_save_leave_an_empty_session_as_in_django() -> None:
    session = SessionStore(stored(a=1))
    session.clear()
    session.save()
    assert session.exists(session.session_key)
    assert session.load() == {}


def test_set_to_unmodified_nothing_counts_as_changed() -> None:
    session = SessionStore(stored(a=1))
    session["a"] = 2
    session.modified = False
    assert not session.modified
    session["b"] = 2
    assert session.modified


def test_a_conflict_is_an_update_error(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SessionStore(stored(a=1))

    def conflict(_: object) -> bool:
        raise SessionConflict("others were faster")

    monkeypatch.setattr(session.core.manager, "save", conflict)

    with pytest.raises(UpdateError):
        session.save()


@pytest.mark.parametrize("past", [-10, datetime.timedelta(seconds=-10)])
def test_an_expiry_in_the_past_ends_the_session(past: t.Any) -> None:
    session = SessionStore(stored(a=1))
    session.set_expiry(past)
    session.save()
    assert SessionStore(session.session_key).load() == {}


def lifetime(session: SessionStore) -> float:
    moment = SessionStore(session.session_key).expires_at
    assert moment is not None
    return (moment - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def test_expiry_is_told_to_the_core() -> None:
    session = SessionStore(stored(a=1))
    assert lifetime(session) == pytest.approx(14 * 24 * 3600, abs=5)
    session.set_expiry(100)
    session.save()
    assert lifetime(session) == pytest.approx(100, abs=5)
    assert session.core.permanent
    session.set_expiry(datetime.timedelta(seconds=50))
    session.save()
    assert lifetime(session) == pytest.approx(50, abs=5)
    session.set_expiry(0)
    session.save()
    assert lifetime(session) == pytest.approx(14 * 24 * 3600, abs=5)
    assert not session.core.permanent
    session.set_expiry(None)
    session.save()
    assert session.core.permanent
    assert session.load() == {"a": 1}


def test_asynchronous_use() -> None:
    async def use() -> None:
        session = SessionStore(stored(a=[1]))
        t.cast(t.Any, await session.aget("a")).append(2)
        old = session.session_key
        await session.acycle_key()
        assert session.session_key != old
        assert await SessionStore(session.session_key).aload() == {"a": [1, 2]}
        await session.aflush()
        assert session.session_key is None

    asyncio.run(use())


def test_clearsessions_removes_what_is_over() -> None:
    session = SessionStore()
    session["a"] = 1
    session.set_expiry(-3600)
    session.save()
    key = stored(b=1)
    call_command("clearsessions")
    assert SessionStore(key).load() == {"b": 1}


def test_what_the_core_offers_is_there() -> None:
    session = SessionStore()
    assert session.is_new
    assert session.mutate("n", lambda n: n + 1, 0) == 1
    session.flash["note"] = "saved"
    session.bind("alice", device="laptop")
    session.save()
    again = SessionStore(session.session_key)
    assert again.owner == "alice"
    assert again.meta == {"device": "laptop"}
    assert again.public_id == session.public_id
    assert again.flash["note"] == "saved"
    assert dict(again) == {"n": 1}
    assert again.created_at is not None
    assert (again.state, again.available) == ("live", True)
    again.unbind()
    again.save()
    assert again.owner is None
    assert "n" not in again
    again.destroy()
    assert again.session_key is None


def test_renew_is_carried_out_by_save() -> None:
    session = SessionStore(stored(a=1))
    old = session.session_key
    session.renew()
    assert session.modified
    session.save()
    assert session.session_key != old


def test_a_default_is_saved_only_if_it_is_changed_inside() -> None:
    key = stored(a=1)
    session = SessionStore(key)
    assert session.offer("cart", list) == []
    assert not session.modified
    session.offer("cart", list).append("tea")
    assert session.modified
    session.save()
    assert SessionStore(key)["cart"] == ["tea"]
