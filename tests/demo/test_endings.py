"""The demo tells somebody who was logged out from elsewhere why."""

from __future__ import annotations

import pytest

from tests.demo.conftest import MakeVisitor
from tests.demo.visitor import Visitor


@pytest.mark.parametrize("at", ["wsgi", "flask", "django"])
def test_the_login_says_why_the_session_is_over(make_visitor: MakeVisitor, at: str) -> None:
    here, there = make_visitor(), make_visitor()
    here.post(f"/{at}/login", name=f"frank of {at}")
    there.post(f"/{at}/login", name=f"frank of {at}")
    here.post(f"/{at}/logout-elsewhere")
    page = there.get(f"/{at}/")
    assert page.by_id("identity") == "Nobody is logged in."
    assert page.by_id("ended") == "You were logged out from another browser."
    # The visit has begun a session of its own.
    assert 'id="ended"' not in there.get(f"/{at}/").source


def test_who_has_logged_out_is_told_nothing(visitor: Visitor) -> None:
    visitor.post("/flask/login", name="alice")
    assert 'id="ended"' not in visitor.post("/flask/logout").source
