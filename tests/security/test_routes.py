"""What one route wants of its session: passive requests, and what an outage means."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import typing as t

import pytest

import flask_sessionkit
import sessionkit
from sessionkit import SealedSessionManager
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import keys
from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from tests.core.support import PlainStore
from tests.security.conftest import MakeSite
from tests.security.sites import Jar
from tests.security.sites import Query
from tests.security.sites import Site
from tests.security.sites import View
from tests.security.sites import site_of
from tests.security.sites import whoami

IDLE = 1000.0


def passively(view: View) -> View:
    """What the view does, asked for by an attribute."""

    def poll(session: t.Any, query: Query) -> t.Any:
        session.passive = True
        return view(session, query)

    return poll


def decorated(kind: str, view: View) -> View:
    decorators: t.Any = flask_sessionkit if kind == "flask" else sessionkit
    return t.cast(View, decorators.passive(view))


class Poll(t.NamedTuple):
    """A way to say that a request is passive."""

    policy: dict[str, t.Any]
    wrap: cabc.Callable[[str, View], View]
    headers: dict[str, t.Any]


WAYS = {
    "attribute": Poll({}, lambda kind, view: passively(view), {}),
    "decorator": Poll({}, decorated, {}),
    "predicate": Poll(
        {"passive": lambda environ: environ["PATH_INFO"] == "/poll"}, lambda kind, view: view, {}
    ),
    "header": Poll(
        {"passive_header": "X-Session-Passive"},
        lambda kind, view: view,
        {"HTTP_X_SESSION_PASSIVE": "1"},
    ),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Poll:
    return WAYS[request.param]


@pytest.fixture(params=["stored", "sealed"])
def polled(
    request: pytest.FixtureRequest, kind: str, way: Poll, clock: FakeClock
) -> cabc.Iterator[Site]:
    policy = SessionPolicy(
        idle_timeout=IDLE, ownerless_timeout=None, absolute_timeout=None, **way.policy
    )
    manager: t.Any = (
        SessionManager(MemoryStore(clock=clock), policy=policy, clock=clock)
        if request.param == "stored"
        else SealedSessionManager([keys.new_key()], policy=policy, clock=clock)
    )

    with site_of(kind, manager) as site:
        site.views["/poll"] = way.wrap(kind, whoami)
        yield site


def logged_in(site: Site) -> Jar:
    jar = site.jar()
    jar.get("/login")
    return jar


def test_polling_does_not_extend_the_life(polled: Site, way: Poll, clock: FakeClock) -> None:
    jar = logged_in(polled)
    clock.advance(IDLE * 0.6)
    assert jar.get("/poll", **way.headers).body == "alice"
    clock.advance(IDLE * 0.6)
    assert jar.get("/poll", **way.headers).body == "nobody"


def test_other_requests_do(polled: Site, way: Poll, clock: FakeClock) -> None:
    jar = logged_in(polled)
    clock.advance(IDLE * 0.6)
    jar.get("/poll", **way.headers)
    assert jar.get("/whoami").body == "alice"
    clock.advance(IDLE * 0.6)
    assert jar.get("/poll", **way.headers).body == "alice"


def test_what_a_poll_writes_is_kept_and_does_not_extend_the_life(
    polled: Site, way: Poll, kind: str, clock: FakeClock
) -> None:
    polled.views["/poll"] = way.wrap(kind, polled.views["/count"])
    jar = logged_in(polled)

    for number in (1, 2, 3):
        clock.advance(IDLE * 0.3)
        assert jar.get("/poll", **way.headers).body == str(number)

    clock.advance(IDLE * 0.2)
    assert jar.get("/poll", **way.headers).body == "1"  # a new session


@pytest.mark.parametrize("value", ["", "0", " 0 "])
def test_a_header_that_says_no(make_site: MakeSite, kind: str, value: str) -> None:
    site = make_site(kind, passive_header="X-Session-Passive", idle_timeout=IDLE)
    clock = t.cast(FakeClock, site.manager.clock)
    jar = logged_in(site)
    clock.advance(IDLE * 0.6)
    jar.get("/whoami", HTTP_X_SESSION_PASSIVE=value)
    clock.advance(IDLE * 0.6)
    assert jar.get("/whoami").body == "alice"


def test_what_is_seen_of_a_poll_is_nothing(make_site: MakeSite, kind: str) -> None:
    site = make_site(kind, idle_timeout=IDLE)
    clock = t.cast(FakeClock, site.manager.clock)
    site.views |= {"/poll": passively(whoami), "/put": passively(site.views["/put"])}
    jar = logged_in(site)
    before = site.manager.sessions_of("alice")
    clock.advance(IDLE * 0.6)
    jar.get("/poll")
    jar.get("/put", {"a": "1"})
    assert site.manager.sessions_of("alice") == before


def set_expiry(session: t.Any, query: Query) -> str:
    session.set_expiry(int(IDLE))
    return "set"


@pytest.mark.parametrize("use", ["login", "renew", "set_expiry", "first"])
def test_what_counts_as_use_although_the_request_is_passive(
    make_site: MakeSite, kind: str, use: str
) -> None:
    site = make_site(kind, idle_timeout=IDLE, ownerless_timeout=None)
    clock = t.cast(FakeClock, site.manager.clock)
    acts: dict[str, View] = {
        "login": site.views["/login"],
        "renew": site.views["/renew"],
        "set_expiry": set_expiry,
        "first": site.views["/login"],
    }
    site.views["/use"] = passively(acts[use])
    jar = site.jar() if use == "first" else logged_in(site)
    clock.advance(IDLE * 0.6)
    jar.get("/use")
    clock.advance(IDLE * 0.6)
    assert jar.get("/whoami").body == "alice"


def test_a_poll_that_only_reads_writes_nothing(make_site: MakeSite, kind: str) -> None:
    clock = FakeClock()
    spy = PlainStore(clock)
    site = make_site(kind, spy, idle_timeout=IDLE)
    site.views["/poll"] = passively(whoami)
    jar = logged_in(site)
    t.cast(FakeClock, site.manager.clock).advance(IDLE * 0.6)
    spy.calls.clear()
    assert jar.get("/poll").body == "alice"
    assert spy.calls == ["get"]


def test_a_poll_does_not_take_back_the_life_that_another_request_has_given(
    clock: FakeClock,
) -> None:
    store = PlainStore(clock)
    manager = SessionManager(store, policy=SessionPolicy(idle_timeout=IDLE), clock=clock)
    session = manager.open()
    session.bind("alice")
    cookie: t.Any = manager.commit(session)
    clock.advance(IDLE * 0.6)
    poll, other = (manager.open(f"sid={cookie.value}") for _ in range(2))
    poll.passive = True
    poll["a"] = 1
    other["b"] = 1
    manager.commit(other)
    manager.commit(poll)
    clock.advance(IDLE * 0.6)
    assert dict(manager.open(f"sid={cookie.value}")) == {"a": 1, "b": 1}


def tolerant(view: View) -> View:
    def page(session: t.Any, query: Query) -> t.Any:
        session.outage = "unavailable"
        return view(session, query)

    return page


def tolerant_by_decorator(kind: str, view: View) -> View:
    decorators: t.Any = flask_sessionkit if kind == "flask" else sessionkit
    return t.cast(View, decorators.outage("unavailable")(view))


@pytest.mark.parametrize("by", ["attribute", "decorator", "function"])
def test_an_outage_that_one_route_can_do_without_its_session(
    make_site: MakeSite, kind: str, clock: FakeClock, by: str
) -> None:
    def meaning(environ: t.Any) -> str:
        return "unavailable" if environ["PATH_INFO"].startswith("/page") else "error"

    spy = PlainStore(clock)
    site = make_site(kind, spy, **({"outage": meaning} if by == "function" else {}))

    for name in ("whoami", "put"):
        view = site.views[f"/{name}"]
        wrapped = {
            "attribute": tolerant(view),
            "decorator": tolerant_by_decorator(kind, view),
            "function": view,
        }
        site.views[f"/page/{name}"] = wrapped[by]

    jar = logged_in(site)
    spy.trouble = StoreUnavailable("down")
    assert jar.get("/whoami").status == 503
    answer = jar.get("/page/whoami")
    assert (answer.status, answer.body) == (200, "nobody")
    assert jar.get("/page/put", {"a": "1"}).status == 200
    spy.trouble = None
    assert jar.get("/show").body == "[('user', 'alice')]"


def test_a_write_that_one_route_can_do_without(
    make_site: MakeSite, kind: str, clock: FakeClock
) -> None:
    spy = PlainStore(clock)
    site = make_site(kind, spy)
    site.views["/page"] = tolerant(site.views["/put"])
    jar = logged_in(site)
    spy.trouble, spy.failing = StoreUnavailable("down"), ("swap",)
    assert jar.get("/put", {"a": "1"}).status == 503
    assert jar.get("/page", {"a": "1"}).status == 200


def test_an_outage_that_one_route_cannot_do_without_its_session(
    make_site: MakeSite, kind: str, clock: FakeClock
) -> None:
    def account(session: t.Any, query: Query) -> str:
        session.outage = "error"
        return whoami(session, query)

    spy = PlainStore(clock)
    site = make_site(kind, spy, outage="unavailable")
    site.views["/account"] = account
    jar = logged_in(site)
    spy.trouble = StoreUnavailable("down")
    assert jar.get("/whoami").status == 200
    assert jar.get("/account").status == 503


def test_what_is_no_meaning_is_refused() -> None:
    session: t.Any = SessionManager(MemoryStore()).open()
    wrong: t.Any = "ignore"

    with pytest.raises(ConfigurationError, match="outage"):
        session.outage = wrong

    with pytest.raises(ConfigurationError, match="outage"):
        sessionkit.outage(wrong)

    for settings in ({"outage": wrong}, {"passive": "/poll"}, {"passive_header": "a b"}):
        with pytest.raises(ConfigurationError, match=next(iter(settings))):
            SessionPolicy(**t.cast(t.Any, settings))


def test_a_function_that_returns_no_meaning_is_named(make_site: MakeSite) -> None:
    site = make_site("wsgi", outage=lambda environ: "ignore")

    with pytest.raises(ConfigurationError, match=r"policy\.outage"):
        site.jar().get("/notouch")


def test_without_a_request_the_function_is_not_asked() -> None:
    policy = SessionPolicy(outage=lambda environ: "unavailable")
    assert SessionManager(MemoryStore(), policy=policy).open().outage == "error"


def test_outside_of_a_request_the_decorators_say_what_is_missing() -> None:
    with pytest.raises(sessionkit.errors.SessionError, match="no current session"):
        sessionkit.passive(lambda: None)()

    with contextlib.suppress(RuntimeError):
        flask_sessionkit.passive(lambda: pytest.fail("called"))()
