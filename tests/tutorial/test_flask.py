"""Somebody with an empty folder, or with Flask's tutorial, gets a login and a devices page."""

from __future__ import annotations

import pytest

from tests.demo.visitor import Visitor

from .flask_tutorial import FILES
from .walkthrough import Walkthrough
from .walkthrough import blocks
from .walkthrough import buttons
from .walkthrough import submit

pytestmark = pytest.mark.attack

PAGE = "/account/devices/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_the_readmes_application(reader: Walkthrough) -> None:
    (application,) = blocks("README.md", "Flask", "python")
    (reader.folder / "app.py").write_text(application.text, "utf-8")
    reader.run("flask run")
    assert reader.server is not None

    with reader.server as server:
        here, there = Visitor(server.url, FIREFOX), Visitor(server.url, "curl/8")

        for visitor in here, there:
            assert "<button>Log in</button>" in visitor.get(PAGE).source
            assert '"user":"alice"' in submit(visitor, "/login", name="alice").source

        page = here.get(PAGE)
        assert page.all("h2") == ["curl/8", "Firefox on Linux This device"]

        (other,) = buttons(page, "end")
        page = submit(here, PAGE, end=other)
        assert "The device was logged out." in page.source
        assert page.all("h2") == ["Firefox on Linux This device"]
        assert '"user":null' in there.get("/").source
        assert '"user":"alice"' in here.get("/").source

        assert '"user":null' in here.post("/logout").source
        assert "<button>Log in</button>" in here.get(PAGE).source


def test_flasks_tutorial(reader: Walkthrough) -> None:
    for name, text in FILES.items():
        file = reader.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    steps = blocks("docs/flask.md", "In Flask's tutorial", "diff", "sh")

    with reader.follow(steps) as server:
        here, there = Visitor(server.url, FIREFOX), Visitor(server.url, "curl/8")
        alice = {"username": "alice", "password": "pa55word"}
        submit(here, "/auth/register", **alice)
        wrong = submit(here, "/auth/login", **{**alice, "password": "wrong"})
        assert wrong.flashes == ["Incorrect password."]

        for visitor in here, there:
            assert submit(visitor, "/auth/login", **alice).source == "Hello, World!"
            assert visitor.get("/auth/me").source == "alice"

        page = here.get(PAGE)
        assert page.all("h2") == ["curl/8", "Firefox on Linux This device"]

        assert submit(here, PAGE, others="1").all("h2") == ["Firefox on Linux This device"]
        assert 'name="password"' in there.get("/auth/me").source
        assert here.get("/auth/me").source == "alice"

        here.get("/auth/logout")
        assert 'name="password"' in here.get(PAGE).source
