"""Items 2, 4 and 30-35 of the checklist: what is in the cookie is read and made by nobody else."""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
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
from sessionkit import tokens
from sessionkit.aead import Keyring
from sessionkit.encryption import EncryptedStore
from sessionkit.errors import ConfigurationError
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.security.sealed.support import OLD
from tests.security.sealed.support import SECRET
from tests.security.sealed.support import MakeSealed
from tests.security.sealed.support import logged_in
from tests.security.sites import Site
from tests.security.sites import site_of


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
