"""What visitors type is shown as they typed it, and harms nobody."""

from __future__ import annotations

import pytest

from tests.demo.frameworks import FRAMEWORKS
from tests.demo.frameworks import everywhere
from tests.demo.visitor import Visitor

SCRIPT = "<script>alert('1')</script>&amp;{0}{title}"


@everywhere
def test_html_is_shown_as_text(visitor: Visitor, at: str) -> None:
    visitor.post(f"/{at}/login", name=SCRIPT)
    visitor.post(f"/{at}/cart", item=SCRIPT)

    page = visitor.post(f"/{at}/flash", message=SCRIPT)

    assert "<script>alert" not in page.source
    assert (page.owner, page.cart, page.flashes) == (SCRIPT, [SCRIPT], [SCRIPT])


@everywhere
@pytest.mark.parametrize(
    "name", ["", "   ", "\0", "a\r\nSet-Cookie: b=c", "\u202e", "x" * 100_000, "\U0010ffff", "Zoë"]
)
def test_any_name_logs_somebody_in(visitor: Visitor, at: str, name: str) -> None:
    page = visitor.post(f"/{at}/login", name=name)

    assert page.status == 200
    assert page.owner
    assert len(page.owner) <= 60


@everywhere
def test_what_does_not_exist_is_not_found(visitor: Visitor, at: str) -> None:
    for action in ("nonsense", "parallel/20", "parallel/-1", "parallel/x", "parallel/0/"):
        assert visitor.post(f"/{at}/{action}").status == 404


@everywhere
def test_a_link_changes_nothing(visitor: Visitor, at: str) -> None:
    visitor.post(f"/{at}/login", name="alice")

    assert visitor.get(f"/{at}/logout").status == 405
    assert visitor.get(f"/{at}/").owner == "alice"
    assert visitor.post(f"/{at}/").status == 405


def test_no_page_shows_the_id(visitor: Visitor) -> None:
    visitor.post("/wsgi/login", name="alice")
    session_id = (visitor.cookie() or "").partition(".")[0]

    assert len(session_id) >= 40
    assert not any(session_id in visitor.get(f"/{at}/").source for at in FRAMEWORKS)


def test_what_browsers_ask_for_by_themselves_is_no_visit(visitor: Visitor) -> None:
    assert visitor.get("/favicon.ico").status == 404
    assert visitor.get("/").visits == 1
