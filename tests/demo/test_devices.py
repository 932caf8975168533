"""The devices page in the demo."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.demo.conftest import MakeVisitor
from tests.demo.visitor import Page
from tests.demo.visitor import Visitor

with_page = pytest.mark.parametrize("at", ["flask", "django"])


def fields(page: Page) -> dict[str, str]:
    """What the forms of the page send beside their buttons."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page.source))


@with_page
def test_others_are_listed_and_ended(make_visitor: MakeVisitor, at: str) -> None:
    here, there = make_visitor(), make_visitor()
    here.post("/wsgi/login", name=f"dave of {at}")
    there.post("/wsgi/login", name=f"dave of {at}")

    page = here.get(f"/{at}/account/devices/")
    assert len(page.all("h2")) == 2
    form: dict[str, t.Any] = {**fields(page), "others": "1"}
    page = here.post(f"/{at}/account/devices/", **form)

    assert page.by_id("device-1").endswith("This device")
    assert there.get("/wsgi/").owner is None
    assert here.get("/wsgi/").owner == f"dave of {at}"


@with_page
def test_a_form_from_elsewhere_ends_nothing(make_visitor: MakeVisitor, at: str) -> None:
    here, there = make_visitor(), make_visitor()
    here.post("/wsgi/login", name=f"erin of {at}")
    there.post("/wsgi/login", name=f"erin of {at}")
    assert here.post(f"/{at}/account/devices/", others="1").status in (400, 403)
    assert there.get("/wsgi/").owner == f"erin of {at}"


@with_page
def test_the_page_is_linked(visitor: Visitor, at: str) -> None:
    page = visitor.post(f"/{at}/login", name="alice")
    assert f'href="/{at}/account/devices/"' in page.source
    assert f'href="/{at}/account/devices/' in visitor.get(f"/{at}/account/devices/").source


def test_nobody_has_no_devices(visitor: Visitor) -> None:
    assert visitor.get("/django/account/devices/").status == 403
    assert visitor.get("/flask/account/devices/").by_id("identity") == "Nobody is logged in."
