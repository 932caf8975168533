"""Somebody with an empty folder gets a Django project with a login and a devices page."""

from __future__ import annotations

import re

import pytest

from tests.demo.visitor import Visitor

from .walkthrough import Walkthrough
from .walkthrough import blocks
from .walkthrough import buttons
from .walkthrough import submit

pytestmark = pytest.mark.attack

PAGE = "/account/devices/"
LOGIN = f"/admin/login/?next={PAGE}"
SESSIONS = "/admin/sessionkit_store/session/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

#: What `manage.py createsuperuser` asks for.
ALICE = {"USERNAME": "alice", "PASSWORD": "pa55word", "EMAIL": "alice@example.org"}


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in ALICE.items():
        monkeypatch.setenv(f"DJANGO_SUPERUSER_{name}", answer)


def log_in(visitor: Visitor) -> None:
    page = submit(visitor, LOGIN, username=ALICE["USERNAME"], password=ALICE["PASSWORD"])
    assert "This device" in page.source


def is_out(visitor: Visitor) -> bool:
    return 'name="password"' in visitor.get(PAGE).source


def test_the_readmes_project(reader: Walkthrough) -> None:
    with reader.follow(blocks("README.md", "Django", "diff", "sh")) as server:
        here, there = Visitor(server.url, FIREFOX), Visitor(server.url, "curl/8")
        assert is_out(here)
        log_in(here)
        log_in(there)
        page = here.get(PAGE)
        assert page.all("h2") == ["curl/8", "Firefox on Linux This device"]

        (other,) = buttons(page, "end")
        page = submit(here, PAGE, end=other)
        assert "The device was logged out." in page.source
        assert page.all("h2") == ["Firefox on Linux This device"]
        assert is_out(there)
        assert not is_out(here)

        assert "Logged out" in submit(here, "/admin/").source
        assert is_out(here)


def test_the_admin_ends_a_session(reader: Walkthrough) -> None:
    steps = blocks("README.md", "Django", "diff", "sh") + blocks(
        "docs/django.md", "Admin", "diff", "sh"
    )

    with reader.follow(steps) as server:
        here, there = Visitor(server.url, FIREFOX), Visitor(server.url, "curl/8")
        log_in(here)
        log_in(there)

        assert SESSIONS in here.get("/admin/").source
        chosen = re.findall('name="_selected_action" value="([^"]+)"', here.get(SESSIONS).source)
        assert len(chosen) == 2

        # As a tick at the top of the list does, for all of its pages.
        form = {"action": "end_selected", "_selected_action": chosen[0], "select_across": "1"}
        page = submit(here, SESSIONS, 'id="changelist-form"', **form)
        assert page.all('li class="success"') == ["1 session was ended."]

        assert is_out(there)
        assert not is_out(here), "one's own session goes on"
