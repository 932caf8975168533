"""What is done in one framework is known in the other two."""

from __future__ import annotations

import concurrent.futures
import itertools

import pytest

from tests.demo.conftest import MakeVisitor
from tests.demo.frameworks import FRAMEWORKS
from tests.demo.frameworks import everywhere
from tests.demo.visitor import Visitor


@everywhere
def test_a_login_is_known_in_all(visitor: Visitor, at: str) -> None:
    page = visitor.post(f"/{at}/login", name="alice")

    assert page.flashes == ["Welcome, alice!"]
    assert [visitor.get(f"/{place}/").owner for place in FRAMEWORKS] == ["alice"] * 3


@everywhere
def test_a_logout_is_known_in_all(visitor: Visitor, at: str) -> None:
    visitor.post("/wsgi/login", name="alice")

    page = visitor.post(f"/{at}/logout")

    assert page.flashes == ["You are logged out of all three."]
    assert [visitor.get(f"/{place}/").owner for place in FRAMEWORKS] == [None] * 3


@everywhere
def test_after_a_logout_the_old_cookie_is_worthless_in_all(visitor: Visitor, at: str) -> None:
    visitor.post("/wsgi/login", name="alice")
    (stolen,) = (cookie for cookie in visitor.cookies if cookie.name == "sessionkit-demo")

    visitor.post(f"/{at}/logout")
    visitor.cookies.set_cookie(stolen)

    assert [visitor.get(f"/{place}/").owner for place in FRAMEWORKS] == [None] * 3


@everywhere
def test_a_login_keeps_the_cart_and_changes_the_id(visitor: Visitor, at: str) -> None:
    visitor.post(f"/{at}/cart", item="milk")
    before = visitor.cookie()

    page = visitor.post(f"/{at}/login", name="alice")

    assert page.cart == ["milk"]
    assert visitor.cookie() != before


def test_the_cart_and_the_visits_are_shared(visitor: Visitor) -> None:
    pages = [visitor.post(f"/{place}/cart", item=place) for place in FRAMEWORKS]

    assert pages[-1].cart == [*FRAMEWORKS]
    assert [page.visits for page in pages] == [1, 2, 3]


@pytest.mark.parametrize(("left", "shown"), [*itertools.permutations(FRAMEWORKS, 2)])
def test_a_message_is_shown_once_wherever_one_looks(
    visitor: Visitor, left: str, shown: str
) -> None:
    visitor.post(f"/{left}/flash", message="Hello!", follow=False)

    assert visitor.get(f"/{shown}/").flashes == ["Hello!"]
    assert visitor.get(f"/{left}/").flashes == []


@everywhere
def test_other_places_are_listed_and_can_be_ended(make_visitor: MakeVisitor, at: str) -> None:
    here, there = make_visitor(), make_visitor()
    name = f"carol of {at}"
    there.post("/flask/login", name=name)
    assert "through Flask" in here.post(f"/{at}/login", name=name).by_id("sessions")

    page = here.post(f"/{at}/logout-elsewhere")

    assert page.flashes == ["Logged out elsewhere: 1."]
    assert page.owner == name
    assert there.get("/wsgi/").owner is None


@everywhere
def test_an_anonymous_visitor_has_no_other_places(visitor: Visitor, at: str) -> None:
    assert visitor.post(f"/{at}/logout-elsewhere").flashes == []


@pytest.mark.parametrize("places", [*zip(FRAMEWORKS), FRAMEWORKS], ids="-".join)
def test_twenty_requests_at_once_lose_nothing(visitor: Visitor, places: tuple[str, ...]) -> None:
    visitor.get("/wsgi/")
    paths = [f"/{place}/parallel/{n}" for n, place in zip(range(20), itertools.cycle(places))]

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = [*pool.map(lambda path: visitor.post(path, follow=False), paths)]

    assert [answer.status for answer in answers] == [303] * 20
    page = visitor.get("/wsgi/")
    assert page.by_id("outcome") == "20 of 20 keys kept"
    assert visitor.post(f"/{places[0]}/parallel").by_id("outcome") == "0 of 20 keys kept"
