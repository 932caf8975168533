"""Each page shows what its request did with the session, and what the form before it did."""

from __future__ import annotations

import pytest

from tests.demo.frameworks import everywhere
from tests.demo.visitor import TRACE
from tests.demo.visitor import Visitor

SAME = "cookie not sent, since the id is still the same"


def cookie_step(steps: list[str]) -> str:
    """Return the last step, without times and attributes."""
    return steps[-1].partition(" Path=")[0]


@everywhere
def test_the_first_page_sets_the_cookie(visitor: Visitor, at: str) -> None:
    steps = visitor.get(f"/{at}/").steps(f"GET /{at}/")

    assert "store write a new record" in steps[0]
    assert steps[1] == "session created visits"
    assert cookie_step(steps) == "cookie set, since the session is new"
    assert "HttpOnly; SameSite=Lax" in steps[-1]


@everywhere
def test_the_next_page_does_not(visitor: Visitor, at: str) -> None:
    visitor.get(f"/{at}/")

    steps = visitor.get(f"/{at}/").steps(f"GET /{at}/")

    assert [step.split()[0] for step in steps] == ["store", "store", "session", "cookie"]
    assert cookie_step(steps) == SAME


@everywhere
def test_a_login_is_shown_on_the_next_page(visitor: Visitor, at: str) -> None:
    visitor.get(f"/{at}/")

    page = visitor.post(f"/{at}/login", name="alice")

    assert page.requests == [f"POST /{at}/login", f"GET /{at}/"]
    steps = page.steps(f"POST /{at}/login")
    assert any("write the record under a new id, and end the old id" in step for step in steps)
    assert cookie_step(steps) == "cookie set, since the session has a new id"
    assert cookie_step(page.steps(f"GET /{at}/")) == SAME


@everywhere
def test_a_logout_is_shown_on_the_next_page(visitor: Visitor, at: str) -> None:
    visitor.post(f"/{at}/login", name="alice")

    steps = visitor.post(f"/{at}/logout").steps(f"POST /{at}/logout")

    assert "session ended" in steps
    assert cookie_step(steps) == "cookie set, since the message waits in a new session"


def test_the_steps_of_a_form_are_shown_once(visitor: Visitor) -> None:
    visitor.post("/flask/cart", item="tea")

    assert visitor.cookie(TRACE) is None
    assert visitor.get("/django/").requests == ["GET /django/"]


@pytest.mark.parametrize("forged", ["", "x", "W1tdXQ", "." * 3000, "WyI8Yj4iLFtdXQ.aaaaaa.bbb"])
def test_forged_steps_are_not_shown(visitor: Visitor, forged: str) -> None:
    visitor.post("/wsgi/cart", item="tea", follow=False)
    (cookie,) = (cookie for cookie in visitor.cookies if cookie.name == TRACE)
    cookie.value = forged

    page = visitor.get("/wsgi/")

    assert (page.status, page.requests) == (200, ["GET /wsgi/"])
