"""Section D of the checklist: serialisation and keys."""

from __future__ import annotations

import base64
import collections.abc as cabc
import datetime as dt
import decimal
import pickle
import typing as t
import uuid
from pathlib import Path

import flask
import itsdangerous
import markupsafe
import ormsgpack
import pytest
from flask.sessions import SecureCookieSessionInterface

from flask_sessionkit import SessionKit
from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import Store
from sessionkit import tokens
from sessionkit.errors import ConfigurationError
from sessionkit.errors import ValueNotSupported
from sessionkit.payload import Live
from sessionkit.payload import pack_live
from sessionkit.payload import unpack
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.redis import RedisStore
from tests.security.conftest import MakeSite
from tests.security.sites import Query
from tests.security.sites import Site
from tests.security.sites import django_settings


class Bomb:
    """Unpickled, it leaves a marker."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> t.Any:
        return open, (str(self.marker), "w")


def test_the_bomb_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "marker"))).close()
    assert (tmp_path / "marker").exists()


def _disguises(bomb: bytes, real: bytes) -> cabc.Iterator[bytes]:
    yield bomb
    yield base64.b64encode(bomb)
    yield real[:10] + bomb
    yield real + bomb

    for prefix in (b"L", b"S", b"\x01", b"\x01L", b"\x01S", b"\x01P", b"\x80\x05"):
        yield prefix + bomb
        yield prefix + (10 + len(bomb)).to_bytes(8, "big") + bomb

    live = unpack(real)
    assert isinstance(live, Live)

    for code in range(128):
        hidden = ormsgpack.packb(ormsgpack.Ext(code, bomb))
        value = b"\xff" + len(hidden).to_bytes(8, "big") + hidden
        short = bytes([len(hidden)]) + hidden if len(hidden) < 255 else value
        header = live.header._replace(meta=value)
        yield pack_live(header, {"user": value, "count": short}, {"note": value, "x": bomb})


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_item_30_nothing_is_executed(
    make_site: MakeSite, any_store: Store, tmp_path: Path, protocol: int
) -> None:
    marker = tmp_path / "marker"
    site = make_site("wsgi", any_store)
    site.views["/flash"] = lambda session, query: repr([session.flash.items(), session.meta])
    jar = site.jar()
    jar.get("/login")
    key = tokens.digest(jar.value or "")
    real = t.cast(t.Any, any_store.get(key)).payload

    for payload in _disguises(pickle.dumps(Bomb(marker), protocol), real):
        record = any_store.get(key)
        assert record is not None
        assert any_store.swap(key, record, record._replace(payload=payload, version=2**60))
        answers = [jar.copy().get(path) for path in ("/whoami", "/flash", "/show")]
        assert [answer.status for answer in answers] == [200] * 3
        assert "alice" not in str(answers)
        assert not marker.exists()


@pytest.mark.parametrize("protocol", [0, 5])
def test_item_30_nor_by_a_whole_record_of_redis(
    make_site: MakeSite, redis_url: str, tmp_path: Path, protocol: int
) -> None:
    import redis

    site = make_site("wsgi", RedisStore(redis_url))
    jar = site.jar()
    jar.get("/login")
    bomb = pickle.dumps(Bomb(tmp_path / "marker"), protocol)

    with redis.Redis.from_url(redis_url) as client:
        name = f"sessionkit:{tokens.digest(jar.value or '')}"

        for value in (bomb, bytes(19) + bomb, base64.b64encode(bomb)):
            client.set(name, value)
            assert jar.copy().get("/whoami").body == "nobody"

    assert not (tmp_path / "marker").exists()


def _damaged(value: str) -> cabc.Iterator[str]:
    for position, char in enumerate(value):
        yield value[:position] + chr(ord(char) ^ 1) + value[position + 1 :]
        yield value[:position] + ("A" if char != "A" else "B") + value[position + 1 :]
        yield value[:position]

    session_id, _, signature = value.partition(".")
    yield session_id
    yield f"{session_id}."
    yield f".{signature}"
    yield f"{session_id}.{signature}."
    yield f"{session_id}..{signature}"
    yield f"{session_id}.{signature}.{signature}"
    yield base64.b64encode(session_id.encode()).decode()
    yield '{"user":"alice"}'
    yield base64.b64encode(b'{"user":"alice"}').decode()


def test_item_31_a_damaged_signature_is_anonymous(make_site: MakeSite, kind: str) -> None:
    site = make_site(kind, secrets=["a secret"])
    jar = site.jar()
    jar.get("/login")
    value = jar.value or ""
    assert jar.send(f"sid={value}").body == "alice"

    for damaged in _damaged(value):
        # The last character of a base64 text has bits that mean nothing.
        if damaged[:-1] == value[:-1] and len(damaged) == len(value):
            continue

        answer = jar.send(f'sid="{damaged}"')
        assert (answer.status, answer.body, answer.set_cookie) == (200, "nobody", None), damaged


def test_item_31_the_store_is_not_asked_for_garbage(make_site: MakeSite) -> None:
    class Deaf(MemoryStore):
        def get(self, key: str, /) -> t.NoReturn:
            raise AssertionError("asked")

    jar = make_site(store=Deaf(), secrets=["a secret"]).jar()
    assert jar.send(f"sid={tokens.new_id()}").body == "nobody"
    assert jar.send(f"sid={tokens.sign(tokens.new_id(), ['another'])}").body == "nobody"


def test_item_33_keys_are_rotated(make_site: MakeSite, kind: str) -> None:
    store = MemoryStore()
    before = make_site("wsgi", store, secrets=["old"]).jar()
    before.get("/login")
    both = make_site(kind, store, secrets=["new", "old"]).jar(cookies=before.cookies)
    assert both.get("/whoami").body == "alice"
    both.get("/renew")
    after = make_site(kind, store, secrets=["new"])
    assert after.jar(cookies=both.cookies).get("/whoami").body == "alice"
    old_alone = make_site("wsgi", store, secrets=["old"]).jar(cookies=both.cookies)
    assert old_alone.get("/whoami").body == "nobody"


def test_item_33_an_old_key_that_was_removed_is_worthless(make_site: MakeSite, kind: str) -> None:
    store = MemoryStore()
    before = make_site("wsgi", store, secrets=["old"]).jar()
    before.get("/login")
    # Not by way of the bare id either.
    values = (before.value or "", (before.value or "").partition(".")[0])

    for value in values:
        site = make_site(kind, store, secrets=["new"])
        assert site.jar(cookies={"sid": value}).get("/whoami").body == "nobody"


NO_SECRETS: tuple[t.Any, ...] = ([], [""], [b""], [None], ["good", ""], "text", b"bytes", 7, [7])


@pytest.mark.parametrize("secrets", NO_SECRETS, ids=repr)
def test_item_34_a_missing_secret_is_refused_at_the_start(secrets: t.Any) -> None:
    """A weak one is not: here the id is the secret, of 240 bits that nobody chose."""
    with pytest.raises(ConfigurationError, match="secrets"):
        SessionManager(MemoryStore(), secrets=secrets)


@pytest.mark.parametrize("secrets", [["secret"], ["change-me"], ["7 chars"]])
def test_item_34_with_a_weak_secret_an_id_is_still_not_to_be_guessed(
    make_site: MakeSite, secrets: list[str]
) -> None:
    site = make_site(secrets=secrets)
    jar = site.jar()
    jar.get("/login")
    forged = tokens.sign(tokens.new_id(), secrets)
    assert site.manager.verify(forged) is not None
    assert site.jar(cookies={"sid": forged}).get("/whoami").body == "nobody"


SECRET = "one secret for everything"


def _flask_cookie(payload: str) -> str:
    app = flask.Flask("other")
    app.secret_key = SECRET
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return str(serializer.dumps({"user": payload}))


def _other_purposes(session_id: str) -> cabc.Iterator[str | bytes]:
    yield _flask_cookie(session_id)
    yield tokens.sign(session_id, [SECRET], "another")
    yield tokens.sign(session_id, [SECRET], "si")
    yield tokens.sign(session_id, [SECRET], "sidd")
    yield itsdangerous.Signer(SECRET).sign(session_id)
    yield itsdangerous.TimestampSigner(SECRET).sign(session_id)
    yield itsdangerous.URLSafeSerializer(SECRET).dumps(session_id)

    for salt in (b"sessionkit.id.v1", b"sessionkit.id.v1sid", b"sessionkit.id.v1\0", b"sid"):
        for derivation in ("hmac", "concat", "django-concat", "none"):
            signer = itsdangerous.Signer(SECRET, salt, key_derivation=derivation)
            yield signer.sign(session_id)


def test_item_35_what_was_signed_for_something_else_is_refused(
    make_site: MakeSite, kind: str
) -> None:
    site = make_site(kind, secrets=[SECRET])
    jar = site.jar()
    jar.get("/login")
    session_id = (jar.value or "").partition(".")[0]

    for foreign in _other_purposes(session_id):
        text = foreign if isinstance(foreign, str) else foreign.decode()
        assert site.jar().send(f"sid={text}").body == "nobody", text


def test_item_35_django_signatures_are_not_ours(make_site: MakeSite) -> None:
    site = make_site("django", secrets=[SECRET])
    jar = site.jar()
    jar.get("/login")
    session_id = (jar.value or "").partition(".")[0]

    with django_settings(SECRET_KEY=SECRET):
        from django.core import signing

        foreign = (signing.dumps(session_id), signing.Signer().sign(session_id))

    assert [site.manager.verify(value) for value in foreign] == [None, None]


@pytest.mark.parametrize(
    "prefix", ["a:", "a b:", "\n", "*", "[a-z]", "\\", "", "ä", "sessionkit:x:"]
)
def test_item_36_prefixes_are_namespaces(make_site: MakeSite, redis_url: str, prefix: str) -> None:
    one = make_site(store=RedisStore(redis_url, prefix="sessionkit:"))
    two = make_site(store=RedisStore(redis_url, prefix=prefix))
    jar, other = one.jar(), two.jar()
    jar.get("/login")
    other.get("/login", {"user": "bob"})
    assert two.jar(cookies=jar.cookies).get("/whoami").body == "nobody"
    assert one.jar(cookies=other.cookies).get("/whoami").body == "nobody"
    assert (len(one.keys()), len(two.keys())) == (1, 1)
    assert two.manager.revoke_all("alice") == 0
    two.store.clear()
    assert two.keys() == []
    assert jar.get("/whoami").body == "alice"


def test_item_36_keys_of_the_application_are_no_sessions(
    make_site: MakeSite, redis_url: str
) -> None:
    import redis

    jar = make_site(store=RedisStore(redis_url)).jar()
    jar.get("/login")
    value = jar.value or ""

    with redis.Redis.from_url(redis_url) as client:
        for name in (value, tokens.digest(value), f"session:{value}", "sessionkit:", "owner:alice"):
            client.set(name, "an application's own")

    assert jar.get("/whoami").body == "alice"


class Text(str):
    __slots__ = ()


class Number(int):
    pass


VALUES: tuple[t.Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**63, -(2**63), 2**64, -(2**100), 0.5, -0.0, 1e308),
    *(float("inf"), "", "text", "\0", "ünï", "\U0001f600", "\ud800", b"", b"\0\xff"),
    *([], [1, [2]], {}, {"a": {"b": [1]}}, {1: "one", "1": "text"}, {None: 1, True: 2}),
    *((), (1, (2,)), {1, 2}, frozenset({"a"}), {(1, 2): {3}}, [(1,), [1]]),
    *(decimal.Decimal("1.10"), decimal.Decimal("NaN"), dt.date(2024, 2, 29), dt.time(1, 2)),
    *(dt.datetime(2024, 1, 1, 1), dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)),
    *(dt.timedelta(days=-1, microseconds=1), uuid.UUID(int=5), markupsafe.Markup("<b>")),
    *(Text("subclass"), Number(7), bytearray(b"a"), 1j, object(), len, range(3), Exception("x")),
    *({"deep": [{"a": ({1: [b"x"]},)}]}, {"key": "\udfff"}, [object()], {"a": Number(1)}),
)


def _same(one: t.Any, two: t.Any) -> bool:
    if isinstance(one, cabc.Mapping):
        items = zip(one.items(), two.items(), strict=True)
        return type(one) is type(two) and all(_same(a, b) for a, b in items)

    if isinstance(one, list | tuple):
        return type(one) is type(two) and all(map(_same, one, two)) and len(one) == len(two)

    return type(one) is type(two) and (repr(one) == repr(two) or one == two)


def test_item_37_what_goes_in_comes_out_or_is_refused(any_site: Site) -> None:
    given: list[t.Any] = [None]
    refused: list[str] = []

    def keep(session: t.Any, query: Query) -> str:
        try:
            session["value"] = given[0]
        except ValueNotSupported as error:
            refused.append(repr(given[0]))
            return f"refused: {error}"

        return "kept"

    any_site.views["/keep"] = keep
    any_site.views["/same"] = lambda session, query: str(_same(session["value"], given[0]))
    jar = any_site.jar()

    for value in VALUES:
        given[0] = value
        answer = jar.get("/keep").body
        assert answer.startswith("refused: session['value']") or jar.get("/same").body == "True"

    assert 5 < len(refused) < 20


def test_item_38_changes_inside_of_values_are_saved(any_site: Site) -> None:
    def change(session: t.Any, query: Query) -> str:
        session["cart"]["items"][0]["count"] += 1
        session["seen"].add("b")
        return "changed"

    values = {"cart": {"items": [{"count": 1}]}, "seen": {"a"}}
    any_site.views["/fill"] = lambda session, query: session.update(values) or "filled"
    any_site.views["/change"] = change
    any_site.views["/sum"] = lambda session, query: repr(
        (session["cart"]["items"][0]["count"], sorted(session["seen"]))
    )
    jar = any_site.jar()
    jar.get("/fill")
    jar.get("/change")
    jar.get("/change")
    assert jar.get("/sum").body == "(3, ['a', 'b'])"


def test_item_36_two_cookie_names_are_two_sessions_where_ids_are_signed() -> None:
    store = MemoryStore()
    app = flask.Flask("one")
    SessionKit(app, SessionManager(store, secrets=[SECRET], cookie=CookieOptions(name="one")))
    other = SessionManager(store, secrets=[SECRET], cookie=CookieOptions(name="two"))
    app.add_url_rule("/", view_func=lambda: str(flask.session.setdefault("a", 1)))
    header = app.test_client().get("/").headers["Set-Cookie"]
    value = header.partition(";")[0].partition("=")[2]
    assert other.open(f"two={value}").state == "new"
