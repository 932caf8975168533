"""The checklist for sessions inside of their cookie, signed and encrypted, in all three ways in.

What it asks of ids and of stores does not apply; what a cookie cannot do is said in docs/sealed.md.
"""

from __future__ import annotations

import base64
import collections.abc as cabc
import concurrent.futures
import contextlib
import json
import pickle
import re
import typing as t
import zlib
from pathlib import Path

import flask
import itsdangerous
import pytest
from flask.sessions import SecureCookieSessionInterface

from flask_sessionkit import SessionKit
from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import SessionPolicy
from sessionkit import keys
from sessionkit import tokens
from sessionkit.aead import Keyring
from sessionkit.encryption import EncryptedStore
from sessionkit.errors import ConfigurationError
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.security.sites import Jar
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site
from tests.security.sites import site_of

SECRET, OLD = keys.new_key(), keys.new_key()

MakeSealed = cabc.Callable[..., Site]

ALPHABET = re.compile(r"[A-Za-z0-9_.-]+").fullmatch


@pytest.fixture(params=[True, False], ids=["encrypted", "signed"])
def encrypted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def make_sealed(kind: str, encrypted: bool, clock: FakeClock) -> cabc.Iterator[MakeSealed]:
    """Make a site; further arguments are settings of the policy."""
    with contextlib.ExitStack() as stack:

        def make(*secrets: str, cookie: CookieOptions | None = None, **policy: t.Any) -> Site:
            manager = SealedSessionManager(
                secrets or [SECRET],
                encrypted=encrypted,
                policy=SessionPolicy(**policy),
                cookie=cookie,
                clock=clock,
            )
            return stack.enter_context(site_of(kind, manager))

        yield make


@pytest.fixture
def sealed_site(make_sealed: MakeSealed) -> Site:
    return make_sealed()


def logged_in(site: Site) -> Jar:
    jar = site.jar()
    assert jar.get("/login").body == "hello alice"
    assert jar.value is not None
    return jar


def names(answer: t.Any) -> set[str]:
    """The attributes of the only cookie."""
    return {part.partition("=")[0] for part in (answer.set_cookie or "").split("; ")[1:]}


def test_item_2_an_encrypted_cookie_means_nothing(kind: str) -> None:
    with site_of(kind, SealedSessionManager([SECRET])) as site:
        jar = site.jar()
        jar.get("/login", {"user": "marker"})
        jar.get("/put", {"marker": "marker"})
        value = jar.value or ""

    for padding in ("", "=", "=="):
        with contextlib.suppress(ValueError):
            assert b"marker" not in base64.urlsafe_b64decode(value + padding)

    assert "marker" not in value


def test_item_8_a_login_changes_the_cookie_and_keeps_the_data(sealed_site: Site) -> None:
    jar = sealed_site.jar()
    assert jar.get("/count").body == "1"
    planted = jar.copy()
    jar.get("/login")
    assert jar.value != planted.value
    assert jar.get("/count").body == "2"
    assert planted.get("/whoami").body == "nobody", "who planted the cookie is not logged in"


@pytest.mark.parametrize("limit", ["idle", "absolute"])
def test_items_13_and_14_limits_are_kept_on_the_server(
    make_sealed: MakeSealed, clock: FakeClock, limit: str
) -> None:
    site = make_sealed(idle_timeout=2, absolute_timeout=4, ownerless_timeout=None)
    jar = logged_in(site)

    if limit == "idle":
        clock.advance(3)
    else:
        for _ in range(3):
            clock.advance(1)
            assert jar.get("/whoami").body == "alice"
            assert jar.get("/renew").set_cookie is not None

        clock.advance(1)

    assert jar.get("/whoami").body == "nobody"


def test_item_15_an_expired_cookie_cannot_be_replayed(
    make_sealed: MakeSealed, clock: FakeClock
) -> None:
    jar = logged_in(make_sealed(idle_timeout=10))
    clock.advance(10)
    assert jar.send(f"sid={jar.value}").body == "nobody"


def test_item_16_lifetimes_are_honest(make_sealed: MakeSealed, clock: FakeClock) -> None:
    jar = logged_in(make_sealed(idle_timeout=1000, absolute_timeout=1500))
    clock.advance(99)
    assert jar.get("/whoami").set_cookie is None
    clock.advance(1)
    answer = jar.get("/whoami")
    assert "; Max-Age=1000" in (answer.set_cookie or ""), "a longer life is told"
    clock.advance(900)
    assert "; Max-Age=500" in (jar.get("/count").set_cookie or "")

    for_ever = make_sealed(idle_timeout=None, absolute_timeout=None, ownerless_timeout=None)
    assert "; Max-Age=34560000" in (for_ever.jar().get("/login").set_cookie or "")
    transient = make_sealed(transient=True)
    assert not {"Max-Age", "Expires"} & names(transient.jar().get("/login"))


def test_items_21_and_22_who_reads_or_logs_out_gets_no_cookie(sealed_site: Site) -> None:
    for path in ("/whoami", "/show", "/logout", "/clear", "/renew", "/notouch"):
        assert sealed_site.jar().get(path).set_cookie is None


def put_a_lot(session: t.Any, query: Query) -> str:
    session["lot"] = "x" * int(query["bytes"])
    return "kept"


def put_deep(session: t.Any, query: Query) -> str:
    value: list[t.Any] = []

    for _ in range(10_000):
        value = [value]

    try:
        session["deep"] = value
    except TypeError as error:
        return type(error).__name__

    return "kept"


def outcome(jar: Jar, path: str, query: Query) -> str | None:
    """The ``Set-Cookie`` header, or None if the application has failed."""
    try:
        answer = jar.get(path, query)
    except Exception:  # noqa: BLE001 - servers make a 500 of it
        return None

    assert (answer.status == 500) == (answer.set_cookie is None)
    return answer.set_cookie


@pytest.mark.filterwarnings("ignore")
def test_items_24_and_25_no_cookie_is_too_large(sealed_site: Site) -> None:
    sealed_site.views |= {"/lot": put_a_lot, "/deep": put_deep}
    jar = sealed_site.jar()
    jar.get("/count")
    before = jar.value

    for size in (100, 2000, 2800, 2900, 3000, 5000, 1_000_000):
        header = outcome(jar.copy(), "/lot", {"bytes": str(size)})
        assert header is None or len(header) <= 4096
        assert (header is None) == (size > 2850)

    assert jar.get("/deep").body == "ValueNotSupported"
    assert jar.get("/show").body == "[('count', 1)]"
    assert before is not None


def test_item_26_two_cookies_of_our_name(sealed_site: Site) -> None:
    jar = logged_in(sealed_site)
    value = jar.value

    for header in (f"sid={value}; sid=garbage", f"sid=garbage; sid={value}"):
        assert jar.send(header).body == "alice"

    assert jar.send("; ".join(["sid=garbage"] * 100)).body == "nobody"


HOSTILE = (
    "",
    "'",
    ".",
    "..",
    "a.b",
    "%00",
    "\xff\xfe",
    "=" * 43,
    "A" * 4096,
    "A" * 9000,
    "." * 9000,
    "A" * 4000 + "." + "A" * 43,
    base64.urlsafe_b64encode(zlib.compress(bytes(10_000_000))).decode(),
    base64.urlsafe_b64encode(json.dumps({"user": "alice"}).encode()).decode(),
    base64.urlsafe_b64encode(bytes(3000)).decode(),
    json.dumps({"user": "alice"}),
)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
def test_items_4_and_31_garbage_is_anonymous(sealed_site: Site, value: str) -> None:
    for path, body in (("/whoami", "nobody"), ("/count", "1")):
        answer = sealed_site.jar().send(f"sid={value}", path)
        assert (answer.status, answer.body) == (200, body)


class Executed:
    """Unpickled it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[t.Any, ...]:
        return Path.touch, (self.path,)


def test_item_30_no_code_is_run(make_sealed: MakeSealed, encrypted: bool, tmp_path: Path) -> None:
    site = make_sealed()
    code = pickle.dumps(Executed(tmp_path / "executed"))
    seal = SealedSessionManager([SECRET], encrypted=encrypted)._seal  # even with the secret

    for value in (
        base64.urlsafe_b64encode(code).decode(),
        seal.seal(code),
        seal.seal(b"\1" + code),
    ):
        assert site.jar().send(f"sid={value}").body == "nobody"

    assert not (tmp_path / "executed").exists()


def test_item_31_every_change_is_noticed(make_sealed: MakeSealed) -> None:
    site = make_sealed()
    jar = logged_in(site)
    value = jar.value or ""
    manager = site.manager
    assert manager.verify(value) == value
    changed = [
        value[:place] + other + value[place + 1 :]
        for place in range(len(value))
        for other in "A-z9_"
    ]
    longer = [value + other for other in "A=. \"'"] + ["A" + value, "." + value, value + value]
    shorter = [value[:length] for length in range(len(value))]

    for other in {*changed, *longer, *shorter} - {value}:
        assert manager.verify(other) is None

    for other in (longer[0], shorter[-1], value.swapcase(), value.rpartition(".")[0]):
        assert jar.send(f"sid={other}").body == "nobody"


def test_item_32_encryption_is_authenticated_with_fresh_nonces(clock: FakeClock) -> None:
    manager = SealedSessionManager([SECRET], clock=clock)
    values = []

    for _ in range(100):
        session = manager.open()
        session["zeros"] = bytes(1024)
        values.append(getattr(manager.commit(session), "value", ""))

    raw = [base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)) for value in values]
    # The first four bytes name the key; then come the nonces.
    assert len({one[4:28] for one in raw}) == 100
    assert len({one[4:16] for one in raw}) == len({one[16:28] for one in raw}) == 100
    blocks = [one[start : start + 16] for one in raw for start in range(28, 1052, 16)]
    assert len(set(blocks)) == len(blocks)


def test_item_33_keys_are_rotated(make_sealed: MakeSealed) -> None:
    old = make_sealed(OLD)
    cookies = logged_in(old).cookies
    both = make_sealed(SECRET, OLD)
    jar = both.jar(cookies=cookies)
    assert jar.get("/whoami").body == "alice"
    jar.get("/count")
    new = make_sealed(SECRET)
    assert new.jar(cookies=jar.cookies).get("/whoami").body == "alice"
    assert new.jar(cookies=cookies).get("/whoami").body == "nobody"


WEAK = (None, "", "secret", "change-me", "1234567", "x" * 64, "secret" * 10, "0123456789" * 5)


@pytest.mark.parametrize("weak", WEAK)
def test_item_34_weak_secrets_are_refused_at_the_start(encrypted: bool, weak: str | None) -> None:
    app = flask.Flask("weak")
    app.config["SESSIONKIT_STORE"] = "cookie:" if encrypted else "cookie:signed"
    app.config["SESSIONKIT_SECRETS"] = weak and [weak]

    for make in (
        lambda: SealedSessionManager([t.cast(t.Any, weak)], encrypted=encrypted),
        lambda: SessionKit(app).manager_of(app),
        lambda: EncryptedStore(MemoryStore(), [t.cast(t.Any, weak)]),
    ):
        with pytest.raises(ConfigurationError, match="secret") as caught:
            make()

        assert not weak or f"'{weak}'" not in str(caught.value)


def test_item_35_purposes_are_separated(make_sealed: MakeSealed, encrypted: bool) -> None:
    """Nothing else that was made with the same secret is a session."""
    site = make_sealed()
    value = logged_in(site).value or ""
    text = value.rpartition(".")[0] or value
    app = flask.Flask("stock")
    app.secret_key = SECRET
    stock = SecureCookieSessionInterface().get_signing_serializer(app)
    assert stock is not None
    store = MemoryStore()
    key = new_key()
    EncryptedStore(store, [SECRET]).swap(key, None, new_record())
    at_rest = getattr(store.get(key), "payload", b"")
    others = [
        itsdangerous.Signer(SECRET).sign(text).decode(),
        itsdangerous.Signer(SECRET, salt="sessionkit.cookie.v1\0sid").sign(text).decode(),
        itsdangerous.TimestampSigner(SECRET).sign(text).decode(),
        stock.dumps({"user": "alice"}),
        tokens.sign(tokens.new_id(), [SECRET]),
        tokens.Signer([SECRET], "sid").sign(text),
        *[base64.urlsafe_b64encode(at_rest[cut:]).decode().rstrip("=") for cut in (0, 10, 14)],
    ]

    for name in ("sid2", "si", "other", "Sid", "sid\0"):
        seal = SealedSessionManager(
            [SECRET], encrypted=encrypted, cookie=CookieOptions(name=name.strip("\0") + "x")
        )
        session = seal.open()
        session["user"] = "alice"
        others.append(getattr(seal.commit(session), "value", ""))

    other_way = SealedSessionManager([SECRET], encrypted=not encrypted)
    session = other_way.open()
    session["user"] = "alice"
    others.append(getattr(other_way.commit(session), "value", ""))

    for other in others:
        assert site.jar().send(f"sid={other}").body == "nobody"


def test_item_35_messages_of_one_context_are_none_of_another() -> None:
    one, two = Keyring([SECRET], b"one"), Keyring([SECRET], b"two")
    sealed = one.seal(b"text", b"context")
    assert one.open(sealed, b"context") == b"text"

    for keyring, context in ((one, b""), (one, b"contextt"), (two, b"context")):
        with pytest.raises(ValueError, match="encrypted"):
            keyring.open(sealed, context)


@pytest.mark.parametrize(
    "options", [{"samesite": "None"}, {"partitioned": True}, {"name": "__Host-sid"}]
)
def test_item_41_a_deletion_repeats_the_attributes(
    make_sealed: MakeSealed, options: dict[str, t.Any]
) -> None:
    site = make_sealed(cookie=CookieOptions(**options))
    jar = logged_in(site)
    attributes = names(jar.copy().get("/login"))
    deleted = jar.get("/logout")
    assert names(deleted) == attributes >= {"Secure", "Path", "Max-Age"}
    assert "Max-Age=0" in (deleted.set_cookie or "")
    assert jar.value is None

    with pytest.raises(ConfigurationError, match="secure"):
        CookieOptions(**{**options, "secure": False})


def put_twice(session: t.Any, query: Query) -> str:
    session["a"] = 1
    session.save()
    session.bind("alice")
    session.save()
    session["a"] = 2
    return "kept"


def test_item_42_one_cookie_of_valid_syntax(sealed_site: Site) -> None:
    sealed_site.views["/twice"] = put_twice
    jar = sealed_site.jar()
    answer = jar.get("/twice")
    assert len(answer.all("Set-Cookie")) == 1
    assert ALPHABET(jar.value or "")
    assert jar.get("/show").body == "[('a', 2)]"


def test_item_43_no_cookie_without_need(sealed_site: Site) -> None:
    jar = logged_in(sealed_site)

    for path in ("/notouch", "/whoami", "/show"):
        assert jar.get(path).set_cookie is None


def test_item_44_neither_name_nor_value_name_this_library(make_sealed: MakeSealed) -> None:
    site = make_sealed(cookie=CookieOptions(name="id"))
    header = site.jar().get("/login").set_cookie or ""
    assert header.startswith("id=")
    assert "session" not in header.lower()


def test_item_45_two_applications_side_by_side_do_not_end_each_other(
    make_sealed: MakeSealed,
) -> None:
    jar = make_sealed(cookie=CookieOptions(path="/a")).jar()
    assert "; Path=/a" in (jar.get("/login").set_cookie or "")
    # Of another application with secrets of its own: unknown, and left alone.
    foreign = make_sealed(OLD).jar(cookies=jar.cookies)
    assert foreign.get("/whoami").set_cookie is None
    assert foreign.get("/logout").set_cookie is None
    assert foreign.cookies == jar.cookies


def test_items_46_to_49_caches(make_sealed: MakeSealed, clock: FakeClock) -> None:
    site = make_sealed(idle_timeout=100)
    site.views["/public"] = lambda session, query: Said(
        str(session.get("user")), headers=(("Cache-Control", "public, s-maxage=60"),)
    )
    jar = logged_in(site)
    assert jar.get("/notouch").all("Vary") == []
    clock.advance(10)
    refreshed = jar.get("/public")
    assert refreshed.set_cookie is not None
    assert "Cookie" in refreshed.all("Vary")[0]
    control = refreshed.all("Cache-Control")[0]
    assert "private" in control
    assert "public" not in control
    assert "s-maxage" not in control


def test_item_56_nobody_gets_the_session_of_somebody_else(sealed_site: Site) -> None:
    def visit(number: int) -> set[str]:
        jar = sealed_site.jar()
        jar.get("/login", {"user": f"user{number}"})
        return {jar.get("/whoami").body for _ in range(10)}

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(visit, range(24)))

    assert seen == [{f"user{number}"} for number in range(24)]


def test_item_60_clock_steps(make_sealed: MakeSealed, clock: FakeClock) -> None:
    site = make_sealed(idle_timeout=7200, absolute_timeout=7200)
    jar = logged_in(site)
    clock.advance(-3600)
    assert jar.get("/count").body == "1"
    assert jar.get("/whoami").body == "alice"
    clock.advance(3600)
    assert jar.get("/whoami").body == "alice"
    clock.advance(3600)
    assert jar.get("/whoami").body == "alice"
    clock.advance(3601)
    assert jar.get("/whoami").body == "nobody", "never longer than the limit and the step"


def test_item_62_another_owner_finds_nothing(sealed_site: Site) -> None:
    jar = logged_in(sealed_site)
    jar.get("/put", {"secret": "of alice"})
    jar.get("/login", {"user": "bob"})
    assert jar.get("/show").body == "[('user', 'bob')]"


def test_items_20_and_25_an_encrypted_store_keeps_the_limits_of_its_engine(
    clock: FakeClock,
) -> None:
    engine = MemoryStore(clock=clock)
    store: t.Any = EncryptedStore(engine, [SECRET])

    for seconds in (-1000, 1000):
        record = new_record(expires_at=clock() + seconds)
        assert store.swap(new_key(), None, record)

    assert store.sweep(clock()) == 1
    assert store.count(clock()) == 1
