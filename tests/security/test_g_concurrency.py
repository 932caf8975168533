"""Section G of the checklist, 51-57: concurrency.

Items 55 and 57 with real servers are in tests/attacks.
"""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import multiprocessing
import threading
import time
import typing as t
from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder

from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit import Store
from sessionkit import current_session
from sessionkit import tokens
from sessionkit.errors import SessionCommitted
from sessionkit.errors import SessionError
from sessionkit.stores import open_store
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from tests.security.conftest import IDENTITY
from tests.security.conftest import MakeSite
from tests.security.sites import Jar
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site
from tests.security.sites import flask_site
from tests.security.sites import wsgi_site

ROUNDS = 50


def _real_site(store: Store, kind: str = "wsgi") -> Site:
    """With the real clock, which conflicts between threads need to wait by."""
    manager = SessionManager(store, policy=SessionPolicy(commit_timeout=20))
    return {"wsgi": wsgi_site, "flask": flask_site}[kind](manager)


def _at_once(*calls: cabc.Callable[[], object]) -> list[t.Any]:
    barrier = threading.Barrier(len(calls))

    def run(call: cabc.Callable[[], object]) -> object:
        barrier.wait()
        return call()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("kind", ["wsgi", "flask"])
def test_item_51_parallel_writes_of_different_keys_are_all_kept(
    any_store: Store, kind: str
) -> None:
    site = _real_site(any_store, kind)
    jar = site.jar()
    jar.get("/login")

    for number in range(ROUNDS):
        _at_once(
            lambda number=number: jar.copy().get("/put", {f"a{number}": "1"}),  # type: ignore[misc]
            lambda number=number: jar.copy().get("/put", {f"b{number}": "1"}),  # type: ignore[misc]
        )

    kept = jar.get("/show").body
    assert [key for n in range(ROUNDS) for key in (f"'a{n}'", f"'b{n}'") if key not in kept] == []


def test_item_51_whichever_commits_first(any_site: Site) -> None:
    jar = any_site.jar()
    jar.get("/put", {"old": "1"})

    def slow(session: t.Any, query: Query) -> str:
        session["slow"] = "1"
        jar.copy().get("/put", {"fast": "1"})
        return "slow"

    any_site.views["/slow"] = slow
    jar.get("/slow")
    assert jar.get("/show").body == "[('fast', '1'), ('old', '1'), ('slow', '1')]"


def test_item_52_a_reader_never_writes_back(any_site: Site, clock: FakeClock) -> None:
    jar = any_site.jar()
    jar.get("/put", {"note": "old"})

    def slow(session: t.Any, query: Query) -> str:
        seen = [*session.items(), session.get("cart", [])]
        jar.copy().get("/put", {"note": "new"})
        return str(seen)

    any_site.views["/slow"] = slow
    # So late that the reader extends the session's life.
    clock.advance(20_000)
    assert "old" in jar.get("/slow").body
    assert jar.get("/show").body == "[('note', 'new')]"


@pytest.mark.parametrize("kind", ["wsgi", "flask"])
def test_item_53_increments_are_exact(any_store: Store, kind: str) -> None:
    site = _real_site(any_store, kind)
    jar = site.jar()
    jar.get("/put", {"note": "1"})

    def fifty() -> set[int]:
        return {jar.copy().get("/increment").status for _ in range(50)}

    assert _at_once(*[fifty] * 4) == [{200}] * 4
    assert "('count', 200)" in jar.get("/show").body


def test_item_54_creation_never_overwrites(
    make_site: MakeSite, any_store: Store, clock: FakeClock
) -> None:
    site = make_site("wsgi", any_store)
    jar = site.jar()
    jar.get("/login")
    taken = tokens.new_id()

    draws: list[bytes] = []

    def random_bytes(size: int) -> bytes:
        if size != IDENTITY:
            return b"r" * size

        draws.append(b"a" * size if len(draws) < 3 else b"b" * size)
        return draws[-1]

    manager = SessionManager(any_store, clock=clock, random_bytes=random_bytes)
    first, second = wsgi_site(manager).jar(), wsgi_site(manager).jar()
    first.get("/put", {"note": "first"})
    second.get("/put", {"note": "second"})
    assert len(draws) == 4
    assert first.value != second.value
    assert first.get("/show").body == "[('note', 'first')]"
    assert second.get("/show").body == "[('note', 'second')]"
    assert taken not in (first.value, second.value)


def test_item_54_nor_does_a_login(make_site: MakeSite, any_store: Store, clock: FakeClock) -> None:
    draws = iter([b"a" * IDENTITY, b"b" * IDENTITY, *[b"a" * IDENTITY] * 3, b"c" * IDENTITY])
    manager = SessionManager(
        any_store, clock=clock, random_bytes=lambda n: next(draws) if n == IDENTITY else b"r" * n
    )
    victim, other = wsgi_site(manager).jar(), wsgi_site(manager).jar()
    victim.get("/put", {"note": "victim"})
    other.get("/put", {"note": "other"})
    other.get("/login")
    assert victim.get("/show").body == "[('note', 'victim')]"
    assert other.get("/whoami").body == "alice"
    assert other.value != victim.value


class _Watching:
    """Says what was in the store when the status left."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.seen: list[int] = []

    def __call__(self, environ: t.Any, start_response: t.Any) -> t.Any:
        def watched(*arguments: t.Any) -> t.Any:
            self.seen.append(self.site.live())
            return start_response(*arguments)

        return self.inner(environ, watched)

    inner: t.Any = None


def test_item_55_a_session_is_saved_before_the_client_can_know(any_site: Site) -> None:
    watching = _Watching(any_site)
    watching.inner, any_site.wsgi = any_site.wsgi, t.cast(t.Any, watching)
    any_site.views["/go"] = lambda session, query: Said(
        str(session.update({"a": "1"})), 302, (("Location", "/show"),)
    )
    any_site.views["/stream"] = lambda session, query: Said(
        iter([b"a", b"b"]) if session.update({"a": "1"}) is None else ""
    )

    for number, path in enumerate(("/go", "/stream", "/login"), 1):
        any_site.jar().get(path)
        assert watching.seen[-1] == number


def _fetch(url: str, cookies: dict[str, str], queue: t.Any) -> None:
    site = wsgi_site(SessionManager(open_store(url)))
    queue.put(Jar(site, cookies).get("/whoami").body)


def test_item_55_another_process_sees_it_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sessions.sqlite3"
    jar = wsgi_site(SessionManager(open_store(url))).jar()
    jar.get("/login")
    context = multiprocessing.get_context("fork")
    queue: t.Any = context.Queue()
    process = context.Process(target=_fetch, args=(url, jar.cookies, queue))
    process.start()
    assert queue.get(timeout=20) == "alice"
    process.join()


def test_item_55_a_write_while_the_body_is_sent_raises(make_site: MakeSite) -> None:
    site = make_site("wsgi")
    caught: list[BaseException] = []

    def late(session: t.Any) -> cabc.Iterator[bytes]:
        yield b"first"

        try:
            session["late"] = 1
        except SessionCommitted as error:
            caught.append(error)

        yield b"second"

    def view(session: t.Any, query: Query) -> Said:
        session["early"] = 1
        return Said(late(session))

    site.views["/stream"] = view
    jar = site.jar()
    assert jar.get("/stream").body == "firstsecond"
    assert len(caught) == 1
    assert jar.get("/show").body == "[('early', 1)]"


@pytest.mark.parametrize("kind", ["wsgi", "flask"])
def test_item_56_users_in_parallel_do_not_see_each_other(any_store: Store, kind: str) -> None:
    site = _real_site(any_store, kind)

    def mixed(session: t.Any, query: Query) -> str:
        before = session.get("user")
        time.sleep(0)
        return f"{before} {session.get('user')} {session.owner}"

    site.views["/mixed"] = mixed

    def user(name: str) -> bool:
        jar = site.jar()
        jar.get("/login", {"user": name})
        return all(jar.get("/mixed").body == f"{name} {name} {name}" for _ in range(10))

    assert all(_at_once(*(lambda n=n: user(f"user{n}") for n in range(24))))


@pytest.mark.parametrize("ends", ["returns", "raises", "generator", "closed"])
def test_item_56_nothing_leaks_out_of_a_request(ends: str) -> None:
    def application(environ: t.Any, start_response: t.Any) -> t.Any:
        assert current_session() is environ["sessionkit.session"]

        if ends == "raises":
            raise RuntimeError("a bug")

        start_response("200 OK", [])
        return [b"a"] if ends == "returns" else iter([b"a", b"b"])

    def generator(environ: t.Any, start_response: t.Any) -> t.Any:
        yield from application(environ, start_response)

    app = generator if ends in ("generator", "closed") else application
    wsgi = SessionMiddleware(app, SessionManager(MemoryStore()))

    try:
        body: t.Any = wsgi(EnvironBuilder("/").get_environ(), lambda *_: lambda data: None)
        _read(body, only_first=ends == "closed")
    except RuntimeError:
        pass

    with pytest.raises(SessionError):
        current_session()


def _read(body: t.Any, *, only_first: bool) -> None:
    items = iter(body)
    next(items)

    if not only_first:
        list(items)

    if hasattr(body, "close"):
        body.close()


def test_item_57_two_workers_agree_and_a_restart_ends_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sessions.sqlite3"
    one, two = (wsgi_site(SessionManager(open_store(url))) for _ in range(2))
    jar = one.jar()
    jar.get("/login")
    one.store.close()
    assert two.jar(cookies=jar.cookies).get("/whoami").body == "alice"
    two.jar(cookies=jar.cookies).get("/logout")
    assert jar.get("/whoami").body == "nobody"
