"""The status of a session: asking for it changes nothing."""

from __future__ import annotations

import json
import typing as t

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit.errors import ConfigurationError
from sessionkit.keys import new_key
from sessionkit.status import Status
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore

from .support import App
from .support import Reply
from .support import call

DAYS = 24 * 60 * 60


def look_first(manager: SessionManager) -> App:
    """A site whose middleware reads the session before it calls what is mounted."""
    status = Status(manager)

    def application(environ: t.Any, start_response: t.Any) -> t.Any:
        environ["sessionkit.session"].get("cart")
        return status(environ, start_response)

    return SessionMiddleware(application, manager)


MOUNTED: dict[str, t.Callable[[SessionManager], App]] = {
    "alone": Status,
    "inside": lambda manager: SessionMiddleware(Status(manager), manager),
    "dispatched": lambda manager: DispatcherMiddleware(
        SessionMiddleware(t.cast(t.Any, None), manager), {"": Status(manager)}
    ),
    "behind what reads": look_first,
}


@pytest.fixture(params=MOUNTED)
def app(request: pytest.FixtureRequest, manager: SessionManager) -> App:
    return MOUNTED[request.param](manager)


def said(reply: Reply) -> dict[str, t.Any]:
    answer: dict[str, t.Any] = json.loads(reply.body)
    return answer


def test_it_says_how_long_a_session_lives_and_extends_it_by_nothing(
    app: App, browser: Browser, store: FullStore, clock: FakeClock
) -> None:
    browser.log_in("ann")
    before = store.records()

    for day in range(14):
        reply = call(app, browser.header)
        left = (14 - day) * DAYS
        assert said(reply) == {"state": "live", "seconds_left": left, "reason": None}
        assert reply.get("Set-Cookie") is None
        clock.advance(DAY)

    assert said(call(app, browser.header))["reason"] == "expired"
    assert store.records() == before


def test_it_makes_no_session(app: App, store: FullStore) -> None:
    reply = call(app)
    assert said(reply) == {"state": "new", "seconds_left": None, "reason": None}
    assert (reply.get("Set-Cookie"), store.records()) == (None, {})


def test_it_says_why_a_session_is_over(app: App, browser: Browser, store: FullStore) -> None:
    browser.log_in("ann")
    browser.manager.revoke_all("ann")
    before = store.records()
    reply = call(app, browser.header)
    assert said(reply) == {"state": "new", "seconds_left": None, "reason": "revoked"}
    assert (reply.get("Set-Cookie"), store.records()) == (None, before)


def test_a_replaced_id_is_superseded(app: App, browser: Browser) -> None:
    browser.log_in("ann")
    late = browser.twin()
    browser.visit(lambda session: session.renew())
    assert said(call(app, late.header))["state"] == "superseded"


def test_no_cache_keeps_it(app: App, browser: Browser) -> None:
    browser.log_in("ann")
    reply = call(app, browser.header)
    assert reply.status == "200 OK"
    assert reply.get("Content-Type") == "application/json"
    assert reply.get("Cache-Control") == "no-store"
    assert reply.get("Vary") == "Cookie"
    assert reply.get("Content-Length") == str(len(reply.body))


def test_head_has_no_body(app: App, browser: Browser) -> None:
    browser.log_in("ann")
    reply = call(app, browser.header, REQUEST_METHOD="HEAD")
    assert (reply.status, reply.body) == ("200 OK", b"")
    assert int(reply.get("Content-Length") or 0) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_other_methods_are_refused(app: App, store: FullStore, method: str) -> None:
    reply = call(app, "sid=" + "x" * 40, REQUEST_METHOD=method)
    assert reply.status == "405 Method Not Allowed"
    assert reply.get("Allow") == "GET, HEAD"
    assert json.loads(reply.body) == {"error": "only GET and HEAD"}


@pytest.mark.parametrize("mounted", [name for name in MOUNTED if name != "behind what reads"])
@pytest.mark.parametrize("outage", ["error", "unavailable", lambda environ: "error"])
def test_an_outage_is_told(
    make_manager: MakeManager, store: FullStore, mounted: str, outage: t.Any
) -> None:
    app = MOUNTED[mounted](make_manager(outage=outage))
    store.fail()
    reply = call(app, "sid=" + "x" * 40)
    assert reply.status == "503 Service Unavailable"
    assert said(reply) == {"state": "unavailable", "seconds_left": None, "reason": None}
    assert reply.get("Set-Cookie") is None


def test_a_session_without_an_end_has_no_seconds_left(make_manager: MakeManager) -> None:
    manager = make_manager(idle_timeout=None, absolute_timeout=None, ownerless_timeout=None)
    browser = Browser(manager)
    browser.put(a=1)
    assert said(call(Status(manager), browser.header)) == {
        "state": "live",
        "seconds_left": None,
        "reason": None,
    }


def test_a_limit_that_was_shortened_counts(make_manager: MakeManager, browser: Browser) -> None:
    browser.log_in("ann")
    shorter = make_manager(absolute_timeout=60)
    assert said(call(Status(shorter), browser.header))["seconds_left"] == 60


def test_a_session_of_its_own_life(manager: SessionManager, browser: Browser) -> None:
    browser.log_in("ann")
    browser.visit(lambda session: session.set_expiry(90.7))
    assert said(call(Status(manager), browser.header))["seconds_left"] == 90


def test_sealed_sessions_have_one(clock: FakeClock) -> None:
    manager = SealedSessionManager([new_key()], clock=clock)
    browser = Browser(manager)
    browser.log_in("ann")
    status = Status(manager)
    assert said(call(status, browser.header))["seconds_left"] == 14 * DAYS
    clock.advance(14 * DAY)
    assert said(call(status, browser.header))["reason"] == "expired"


def test_the_header_for_ids_counts(store: FullStore, clock: FakeClock) -> None:
    manager = SessionManager(store, header="X-Session-Id", clock=clock)
    browser = Browser(manager)
    browser.log_in("ann")
    browser_reply = call(Status(manager), browser.header, HTTP_X_SESSION_ID="")
    assert said(browser_reply)["state"] == "new"
    reply = call(Status(manager), HTTP_X_SESSION_ID=browser.value or "")
    assert (said(reply)["state"], reply.get("Vary")) == ("live", "Cookie, X-Session-Id")


def test_what_the_request_writes_beside_is_saved(manager: SessionManager, browser: Browser) -> None:
    def application(environ: t.Any, start_response: t.Any) -> t.Any:
        session: Session = environ["sessionkit.session"]
        session["asked"] = True
        return Status(manager)(environ, start_response)

    browser.log_in("ann")
    call(SessionMiddleware(application, manager), browser.header)
    assert browser.see() == {"asked": True}


def test_it_needs_a_manager(store: FullStore) -> None:
    wrong: t.Any = store
    with pytest.raises(ConfigurationError, match="Status needs a SessionManager, not FullStore"):
        Status(wrong)
