"""Section F of the checklist: shared caches."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import copy
import typing as t

import flask
import pytest

from sessionkit.testing import FakeClock
from tests.security.conftest import MakeSite
from tests.security.shared_cache import SharedCache
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import Site

ACCESSES: dict[str, cabc.Callable[[t.Any], object]] = {
    "[]": lambda s: s["user"],
    "get": lambda s: s.get("user"),
    "get of a missing key": lambda s: s.get("missing"),
    "in": lambda s: "user" in s,
    "in of a missing key": lambda s: "missing" in s,
    "len": lambda s: len(getattr(s, "core", s)),
    "bool": lambda s: bool(getattr(s, "core", s)),
    "iter": lambda s: list(getattr(s, "core", s)),
    "keys": lambda s: list(s.keys()),
    "values": lambda s: list(s.values()),
    "items": lambda s: list(s.items()),
    "==": lambda s: getattr(s, "core", s) == {"user": "alice"},
    "!=": lambda s: getattr(s, "core", s) != {},
    "repr": lambda s: repr(getattr(s, "core", s)),
    "str": lambda s: str(getattr(s, "core", s)),
    "format": lambda s: f"{getattr(s, 'core', s)}",
    "copy": lambda s: getattr(s, "core", s).copy(),
    "copy.copy": lambda s: dict(copy.copy(getattr(s, "core", s))),
    "dict": lambda s: dict(s.items()),
    "**": lambda s: dict(**getattr(s, "core", s)),
    "pop of a missing key": lambda s: s.pop("missing", None),
    "setdefault": lambda s: s.setdefault("user", "alice"),
    "modified": lambda s: (s.get("user"), s.modified),
    "owner": lambda s: s.owner,
    "public_id": lambda s: s.public_id,
    "meta": lambda s: s.meta,
    "state": lambda s: s.state,
    "available": lambda s: s.available,
    "is_new": lambda s: s.is_new,
    "created_at": lambda s: s.created_at,
    "expires_at": lambda s: s.expires_at,
    "flash in": lambda s: "note" in s.flash,
    "flash len": lambda s: len(s.flash),
    "flash iter": lambda s: list(s.flash),
    "flash get": lambda s: s.flash.get("note"),
    "flash peek": lambda s: s.flash.peek("note"),
    "match": lambda s: _matched(getattr(s, "core", s)),
    "permanent": lambda s: getattr(s, "core", s).permanent,
}


def _matched(session: t.Any) -> str:
    match session:
        case {"user": str(user)}:
            return user
        case _:
            return "nobody"


#: What is the same whoever asks: Flask's proxy is no mapping, and what was not loaded has no data.
SAYS_NOTHING = {("flask", name) for name in ("repr", "str", "format", "match")}


@pytest.mark.parametrize("name", ACCESSES)
def test_item_46_every_access_varies(site: Site, kind: str, name: str) -> None:
    site.views["/x"] = lambda session, query: str(ACCESSES[name](session))
    jar = site.jar()

    for _ in range(2):
        answer = jar.get("/x") if jar.value else _forgiving(lambda: jar.copy().get("/x"))

        if (kind, name) in SAYS_NOTHING:
            assert answer.body in ("nobody", "<Session not loaded>")
        elif answer is not None and answer.status == 200:
            assert answer.all("Vary") == ["Cookie"]
            assert answer.all("Cache-Control") == ["private"]

        jar.get("/login")


def _forgiving(request: cabc.Callable[[], t.Any]) -> t.Any:
    with contextlib.suppress(KeyError):
        return request()


def test_item_46_from_a_template(make_site: MakeSite) -> None:
    site = make_site("flask")
    source = "{% if session %}{% endif %}{{ session.user }}"
    site.views["/x"] = lambda session, query: flask.render_template_string(source)
    assert site.jar().get("/x").all("Vary") == ["Cookie"]
    site.views["/y"] = lambda session, query: flask.render_template_string("{% if 0 %}{% endif %}")
    assert site.jar().get("/y").all("Vary") == []


def test_item_46_from_a_body_that_is_made_while_it_is_sent(make_site: MakeSite) -> None:
    site = make_site("wsgi")

    def application(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
        start_response("200 OK", [])
        yield str(environ["sessionkit.session"].get("user")).encode()
        yield b" and more"

    t.cast(t.Any, site.wsgi).app = application
    assert site.jar().get("/x").all("Vary") == ["Cookie"]


def test_item_46_from_an_error_page(make_site: MakeSite, kind: str) -> None:
    site = make_site(kind)
    site.views["/x"] = lambda session, query: Said(f"not found, {session.get('user')}", 404)
    site.views["/y"] = lambda session, query: Said(f"broken, {session.get('user')}", 500)
    assert site.jar().get("/x").all("Vary") == ["Cookie"]
    assert site.jar().get("/y").all("Vary") == ["Cookie"]


def test_item_47_a_cookie_that_is_sent_again_varies(
    make_site: MakeSite, kind: str, clock: FakeClock
) -> None:
    site = make_site(kind, idle_timeout=None, absolute_timeout=None, ownerless_timeout=None)
    jar = site.jar()
    jar.get("/login")
    sent = 0

    for path in ("/notouch", "/whoami", "/count", "/notouch", "/whoami"):
        clock.advance(150 * 86400)
        answer = jar.get(path)

        if answer.set_cookie:
            sent += 1
            assert answer.all("Vary") == ["Cookie"]
            assert answer.all("Cache-Control") == ["private"]

    assert sent > 0


VARIES = {
    "Accept-Encoding": "Accept-Encoding, Cookie",
    "cookie": "cookie",
    "COOKIE": "COOKIE",
    "Accept, cookie": "Accept, cookie",
    "*": "*",
    "X-Cookie": "X-Cookie, Cookie",
    "Cookie2": "Cookie2, Cookie",
    "": "Cookie",
}


@pytest.mark.parametrize("before", VARIES)
def test_item_48_vary_is_merged(site: Site, before: str) -> None:
    def view(session: t.Any, query: Query) -> Said:
        return Said(str(session.get("user")), headers=(("Vary", before),))

    site.views["/x"] = view
    assert site.jar().get("/x").all("Vary") == [VARIES[before]]


def test_item_48_several_headers_become_one(make_site: MakeSite) -> None:
    site = make_site("wsgi")
    headers = (("vary", "Accept"), ("VARY", "Origin"), ("cache-control", "public"))
    site.views["/x"] = lambda session, query: Said(str(session.get("u")), headers=headers)
    assert site.jar().get("/x").all("Vary") == ["Accept, Origin, Cookie"]


CHOICES = (
    None,
    "public",
    "PUBLIC, max-age=60",
    "max-age=60",
    "s-maxage=60",
    "public, s-maxage=60, max-age=5",
    "max-age=60, stale-while-revalidate=60",
    'private="X-Custom", max-age=60',
    "no-cache",
    "immutable, max-age=31536000",
)


def _cached_site(site: Site, choice: str | None) -> Site:
    headers = (("Cache-Control", choice),) if choice else ()

    for path, view in list(site.views.items()):
        site.views[path] = lambda session, query, view=view: Said(  # type: ignore[misc]
            t.cast(str, view(session, query)), headers=headers
        )

    return site


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("unrelated", [{}, {"theme": "dark"}])
def test_item_49_nobody_gets_anothers_cookie_or_page_from_a_shared_cache(
    site: Site, choice: str | None, unrelated: dict[str, str]
) -> None:
    cache, site = SharedCache(), _cached_site(site, choice)
    alice, bob = site.jar(cookies=unrelated), site.jar(cookies=unrelated)

    for path in ("/notouch", "/count", "/login", "/whoami", "/count", "/show", "/renew"):
        cache.get(alice, path)
        assert alice.value is None or alice.value != bob.value
        answer = cache.get(bob, path)

        assert answer.set_cookie is None or alice.value is None or alice.value not in str(answer)
        assert bob.value is None or bob.value != alice.value

    bob.cookies = dict(unrelated)
    assert cache.get(bob, "/whoami").body == "nobody"
    assert cache.get(alice, "/whoami").body == "alice"
    assert cache.get(bob, "/show").body == "[]"


@pytest.mark.parametrize("choice", ["public", "max-age=60", None])
def test_item_49_nor_after_a_logout(site: Site, choice: str | None) -> None:
    cache, site = SharedCache(), _cached_site(site, choice)
    alice, bob = site.jar(), site.jar()
    alice.get("/login")
    bob.get("/login", {"user": "bob"})
    cache.get(alice, "/logout")
    cache.get(bob, "/whoami")
    assert bob.value is not None
    assert cache.get(bob, "/whoami").body == "bob"


def test_item_49_the_cache_of_these_tests_is_greedy(site: Site) -> None:
    """Else the tests above would show nothing."""
    cache = SharedCache()
    site.views["/bad"] = lambda session, query: Said(
        query.get("x", "page"), headers=(("Cache-Control", "public"),)
    )
    assert cache.get(site.jar(), "/bad").body == cache.get(site.jar(), "/bad").body
    assert cache.get(site.jar(), "/notouch").body == cache.get(site.jar(), "/notouch").body
    assert cache.hits == 2


def test_item_50_untouched_sessions_add_no_header(any_site: Site) -> None:
    jar = any_site.jar()
    anonymous = jar.get("/notouch")
    jar.get("/login")
    known = jar.get("/notouch")

    for answer in (anonymous, known):
        for name in ("Vary", "Cache-Control", "Set-Cookie"):
            assert answer.all(name) == []
