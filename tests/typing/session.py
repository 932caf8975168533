"""What an editor shows for a session. Checked by mypy and pyright, never run.

An expected error has a ``type: ignore``; both checkers complain if it is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import datetime
import typing as t

from typing_extensions import assert_type

from sessionkit import Session
from sessionkit import current_session
from sessionkit import device_of
from sessionkit import outage
from sessionkit import passive
from sessionkit.flash import Flash

Values = t.MutableMapping[str, t.Any]


def it_is_a_mapping_of_text_to_anything(session: Session) -> None:
    mapping: Values = session
    assert_type(session["user"], t.Any)
    assert_type(session.copy(), dict[str, t.Any])
    assert_type(list(session), list[str])
    assert_type(len(session), int)
    assert_type("user" in session, bool)
    session["cart"] = []
    session["cart"].append("tea")
    session.update(a=1)
    del session["cart"]
    mapping.clear()


def keys_are_text(session: Session) -> None:
    session[1] = "one"  # type: ignore[index]
    session[b"a"]  # type: ignore[index]
    session.mutate(1, lambda value: value)  # type: ignore[arg-type]


def what_it_tells(session: Session) -> None:
    assert_type(session.state, t.Literal["new", "live", "superseded", "unavailable"])
    assert_type(session.is_new, bool)
    assert_type(session.available, bool)
    assert_type(session.accessed, bool)
    assert_type(session.modified, bool)
    assert_type(session.permanent, bool)
    assert_type(session.owner, t.Optional[str])  # noqa: UP045 - the same as str | None
    assert_type(session.public_id, str | None)
    assert_type(session.meta, dict[str, t.Any])
    assert_type(session.created_at, datetime.datetime | None)
    assert_type(session.expires_at, datetime.datetime | None)
    assert_type(session.ended_reason, t.Literal["revoked", "evicted", "expired", "unknown"] | None)


def cookies_of_the_applications_own(session: Session) -> None:
    session.set_cookie("theme", "dark", signed=True, max_age=datetime.timedelta(days=1))
    session.set_cookie("theme", b"dark")  # type: ignore[arg-type]
    session.set_cookie("theme", "dark", samesite="lax")  # type: ignore[arg-type]
    session.delete_cookie("theme", path="/shop")
    assert_type(session.get_cookie("theme"), str | None)


def what_a_route_wants(session: Session) -> None:
    session.passive = True
    assert_type(session.outage, t.Literal["error", "unavailable"])
    session.outage = "ignore"  # type: ignore[assignment]


@passive
@outage("unavailable")
def a_decorated_view(number: int) -> str:
    return str(number)


def a_decorator_keeps_the_type() -> None:
    assert_type(a_decorated_view(1), str)
    a_decorated_view("1")  # type: ignore[arg-type]


def a_state_that_does_not_exist(session: Session) -> None:
    if session.state == "dead":  # type: ignore[comparison-overlap]
        session.destroy()


def what_it_does(session: Session) -> None:
    assert_type(session.save(), bool)
    session.bind("ann", keep=["theme"], device="phone", n=1)
    session.bind(7)
    session.bind("ann", label="phone", address=None, **device_of({}))
    session.describe(label="phone", n=1)
    session.describe(label=7)  # type: ignore[arg-type]
    session.unbind()
    session.renew()
    session.destroy()
    session.set_expiry(60)
    session.set_expiry(datetime.timedelta(hours=1))
    session.set_expiry(datetime.datetime.now(datetime.timezone.utc))
    session.set_expiry(None)
    session.permanent = True
    session.modified = True


def what_it_refuses(session: Session) -> None:
    session.bind(None)  # type: ignore[arg-type]
    session.set_expiry("an hour")  # type: ignore[arg-type]
    session.permanent = "yes"  # type: ignore[assignment]
    session.owner = "ann"  # type: ignore[misc]
    session.public_id = "p"  # type: ignore[misc]
    session.regenerate()  # type: ignore[attr-defined]


def mutating(session: Session) -> None:
    session.mutate("visits", lambda visits: visits + 1, 0)
    session.mutate("visits", 1)  # type: ignore[arg-type]


def flash(session: Session) -> None:
    assert_type(session.flash, Flash)
    session.flash["saved"] = {"pages": 3}
    assert_type(session.flash.get("saved"), t.Any)
    assert_type(session.flash.peek("saved", "none"), t.Any)
    assert_type(session.flash.items(), list[tuple[str, t.Any]])
    assert_type("saved" in session.flash, bool)
    session.flash.now("saved", 1)
    session.flash.keep("saved", "other")
    session.flash.keep()
    session.flash[1] = "one"  # type: ignore[index]


def the_current_one() -> None:
    assert_type(current_session(), Session)
