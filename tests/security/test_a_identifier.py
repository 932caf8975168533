"""Section A of the checklist: the identifier."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import math
import os
import subprocess
import sys
import traceback
import typing as t
import warnings
import zlib
from pathlib import Path

import pytest

from sessionkit import Store
from sessionkit import tokens
from sessionkit.errors import StoreUnavailable
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import FakeClock
from tests.security.conftest import MakeSite
from tests.security.sites import Jar
from tests.security.sites import Query
from tests.security.sites import Site

FOREIGN_ID = "Q2hvc2VuLWJ5LWEtY2xpZW50LW5vdC1ieS11cy0x"
assert tokens.is_well_formed(FOREIGN_ID)


def test_item_01_ids_have_enough_entropy() -> None:
    ids = [tokens.new_id() for _ in range(5000)]
    assert len(set(ids)) == len(ids)
    assert {len(made) for made in ids} == {40}
    assert 40 * math.log2(len(set("".join(ids)))) >= 128
    assert all(len({made[position] for made in ids}) > 16 for position in range(40))


SEEDED = """
import os, random
from sessionkit import SessionManager, tokens
from sessionkit.stores.memory import MemoryStore
random.seed(1)
manager = SessionManager(MemoryStore())
child = os.fork()
for _ in range(20):
    session = manager.open()
    session["a"] = 1
    os.write(1, f"{manager.commit(session).value} {tokens.new_id()}\\n".encode())
if child:
    os.waitpid(child, 0)
"""


def test_item_01_a_seed_or_a_fork_repeats_no_id() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", SEEDED], capture_output=True, check=True, text=True)
        for _ in range(2)
    ]
    ids = " ".join(run.stdout for run in runs).split()
    assert len(ids) == len(set(ids)) == 160


def _readings(value: str) -> t.Iterator[bytes]:
    """Everything that somebody may try to find in a cookie."""
    for part in {value, *value.split(".")}:
        yield part.encode()

        for decode in (base64.urlsafe_b64decode, base64.b64decode, bytes.fromhex):
            with contextlib.suppress(ValueError):
                decoded = t.cast(t.Any, decode)(part + "=" * (-len(part) % 4))
                yield decoded

                with contextlib.suppress(zlib.error):
                    yield zlib.decompress(decoded)


@pytest.mark.parametrize("secrets", [None, ["a secret"]])
def test_item_02_the_id_means_nothing(
    make_site: MakeSite, kind: str, secrets: list[str] | None
) -> None:
    jar = make_site(kind, secrets=secrets).jar()
    jar.get("/login", {"user": "marker-user"})
    value = jar.value or ""
    jar.get("/put", {"note": "marker-value"})
    assert jar.value == value
    assert all(b"marker" not in reading for reading in _readings(value))


def test_item_03_an_unknown_id_is_not_adopted(any_site: Site) -> None:
    secrets = ["a secret"] if any_site.manager.verify(FOREIGN_ID) is None else None
    planted = tokens.sign(FOREIGN_ID, secrets) if secrets else FOREIGN_ID
    assert any_site.manager.verify(planted) == FOREIGN_ID
    victim = any_site.jar(cookies={"sid": planted})
    victim.get("/login")
    assert victim.get("/whoami").body == "alice"
    assert FOREIGN_ID not in (victim.value or "")
    assert any_site.jar(cookies={"sid": planted}).get("/whoami").body == "nobody"


@pytest.mark.parametrize("last", ["/count", "/renew", "/clear", "/logout"])
def test_item_03_nor_by_any_other_request(site: Site, last: str) -> None:
    victim = site.jar(cookies={"sid": FOREIGN_ID})
    victim.get(last)
    victim.get("/count")
    assert victim.value != FOREIGN_ID
    assert site.store.get(tokens.digest(FOREIGN_ID)) is None


HOSTILE = {
    "empty": "",
    "one quote": '"',
    "quotes": '"""',
    "percent zero": "%00",
    "zero": "\0",
    "0xff": "\xff",
    "non-ASCII": "sch\xc3\xb6n",
    "not even latin": "\udcff",
    "traversal": "../../etc/passwd",
    "absolute": "/etc/passwd",
    "9 kB": "a" * 9000,
    "newline": "abc\r\nSet-Cookie: x=y",
    "a dot": ".",
    "a signature alone": f".{'A' * 43}",
    "octal": r'"\163\151\144"',
    "a pattern": "*" * 40,
    "equals": "=" * 40,
    "129 characters": "a" * 129,
    "Arabic digits": "\u0661" * 40,
}


def test_item_04_a_hostile_id_is_anonymous(any_site: Site, tmp_path: Path) -> None:
    any_site.jar().get("/login")
    keys, files = sorted(any_site.keys()), _files(tmp_path)

    for name, value in HOSTILE.items():
        answer = any_site.jar().send(f"sid={value}")
        assert (answer.status, answer.body, answer.set_cookie) == (200, "nobody", None), name

    assert sorted(any_site.keys()) == keys
    assert _files(tmp_path) == files


def test_item_04_a_prefix_of_somebodys_id_is_anonymous(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/login")
    value = jar.value or ""

    for length in range(len(value)):
        assert jar.send(f"sid={value[:length]}").body == "nobody"


def _files(folder: Path) -> list[str]:
    names = (str(path) for path in folder.rglob("*"))
    return sorted(name for name in names if not name.endswith(("-wal", "-shm")))


def _dump(store: t.Any) -> bytes:
    """All that can be seen in a store."""
    if isinstance(store, MemoryStore):
        return repr(vars(store)).encode()

    if isinstance(store, SQLiteStore):
        return b"".join(
            path.read_bytes() for path in Path(store.path).parent.iterdir() if path.is_file()
        )

    import redis

    with redis.Redis.from_url(store._connections.address) as client:
        names: t.Any = client.keys("*")
        return b"".join(name + (client.dump(name) or b"") for name in names)


@pytest.mark.parametrize("secrets", [None, ["a secret"]])
def test_item_05_what_the_store_holds_is_no_cookie(
    make_site: MakeSite, any_store: Store, secrets: list[str] | None
) -> None:
    site = make_site("wsgi", any_store, secrets=secrets)
    jar = site.jar()
    jar.get("/count")
    first = jar.value or ""
    jar.get("/login", {"user": "marker-user"})
    dump = _dump(any_store)
    assert b"marker-user" in dump

    for value in (first, jar.value or ""):
        assert value.encode() not in dump
        assert value.partition(".")[0].encode() not in dump

    public = [info.public_id for info in site.manager.sessions_of("marker-user")]
    assert len(public) == 1

    for stored in [*site.keys(), *public]:
        assert site.jar(cookies={"sid": stored}).get("/whoami").body == "nobody"


def test_item_06_only_the_cookie_carries_the_id(site: Site) -> None:
    jar = site.jar()
    jar.get("/login")
    value = jar.value or ""
    thief = site.jar()

    for extra in (
        {"QUERY_STRING": f"sid={value}"},
        {"HTTP_AUTHORIZATION": f"Bearer {value}"},
        {"HTTP_X_SESSION_ID": value},
        {"HTTP_SID": value},
        {"HTTP_COOKIE": f"SID={value}"},
        {"HTTP_COOKIE": f"xsid={value}; sid2={value}; sid.x={value}"},
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(value) + 4),
            "wsgi.input": io.BytesIO(f"sid={value}".encode()),
        },
    ):
        assert thief.get("/whoami", **extra).body == "nobody"

    site.views[f"/whoami;sid={value}"] = site.views["/whoami"]
    assert thief.get(f"/whoami;sid={value}").body == "nobody"


class _Failing(MemoryStore):
    trouble = False

    def get(self, key: str, /) -> t.Any:
        if self.trouble:
            raise StoreUnavailable("connection refused")
        return super().get(key)


def _provoke(site: Site, clock: FakeClock, jar: Jar) -> t.Iterator[str]:
    """Do what may make somebody talk; yield all that was shown."""

    def represent(session: t.Any, query: Query) -> str:
        shown = repr(session) + repr(session.get("user")) + repr(session) + str(session.meta)
        core = getattr(session, "core", session)
        return f"{shown} {core} {core.loaded_draft!r} {core.draft.stored!r} {core.manager!r}"

    site.views["/represent"] = represent
    yield str(jar.get("/represent"))
    site.store.trouble = True
    yield jar.get("/whoami").body
    yield jar.get("/login").body
    site.store.trouble = False
    key = tokens.digest(site.manager.verify(jar.value or "") or "")
    record = site.store.get(key)
    site.store.swap(key, record, record._replace(payload=b"null", version=record.version + 1))
    yield jar.get("/whoami").body
    clock.advance(10**7)
    yield jar.get("/whoami").body
    yield repr(site.manager.sessions_of("alice")) + repr(site.store)


@pytest.mark.parametrize("secrets", [None, ["a secret"]])
def test_item_07_the_id_is_never_shown(
    make_site: MakeSite,
    kind: str,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    secrets: list[str] | None,
) -> None:
    site = make_site(kind, _Failing(), secrets=secrets)
    jar = site.jar()
    ids = [FOREIGN_ID]

    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        jar.send(f"sid={FOREIGN_ID}")

        for path in ("/count", "/login", "/login", "/renew"):
            jar.get(path)
            ids.append((site.manager.verify(jar.value or "")) or "")

        shown = "".join(_provoke(site, clock, jar))

    captured = capfd.readouterr()
    shown += caplog.text + str([w.message for w in warned]) + captured.out + captured.err
    assert "does not answer" in shown or "refuses" in shown
    assert all(made not in shown for made in ids)


def test_item_07_errors_do_not_show_the_id(make_site: MakeSite) -> None:
    site = make_site("wsgi", _Failing())
    jar = site.jar()
    jar.get("/count")
    site.store.trouble = True
    session = site.manager.open(f"sid={jar.value}")

    with pytest.raises(StoreUnavailable) as caught:
        session["count"]

    text = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert (jar.value or "") not in text


def test_item_07_a_list_of_sessions_shows_handles_only(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/login")
    (info,) = any_site.manager.sessions_of("alice")
    assert info.public_id not in (jar.value or "")
    assert (any_site.manager.verify(jar.value or "") or "") not in repr(info)
    assert any_site.jar(cookies={"sid": info.public_id}).get("/whoami").body == "nobody"
    assert any_site.manager.revoke("alice", info.public_id)
    assert jar.get("/whoami").body == "nobody"


def test_item_01_the_source_of_randomness_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = os.urandom

    def urandom(size: int) -> bytes:
        asked.append(size)
        return real(size)

    randomness = tokens.Randomness(urandom)
    randomness.session_id()
    randomness.identity()
    # 240 bits of the id, 128 of the public id, and where the versions begin.
    assert asked == [30, 30 + 16 + 8]
    assert tokens.Randomness()._source is os.urandom
