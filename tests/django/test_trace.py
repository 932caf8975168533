"""``SESSIONKIT["TRACE"]``: a line for each request, where ``DEBUG`` is on."""

from __future__ import annotations

import typing as t

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from sessionkit import keys
from tests.django.conftest import Site


def add(request: t.Any) -> str:
    request.session.setdefault("cart", []).append("tea")
    return ""


def visit_twice(site: Site) -> None:
    browser = site(add=add)
    browser.get("/add")
    browser.get("/add")


@pytest.mark.parametrize("store", ["memory:", "cookie:"])
def test_with_debug_each_request_has_a_line(site: Site, store: str) -> None:
    lines: list[str] = []
    sessionkit = {"STORE": store, "SECRETS": [keys.new_key()], "TRACE": lines.append}

    with override_settings(DEBUG=True, SESSIONKIT=sessionkit):
        visit_twice(site)

    assert len(lines) == 2
    assert lines[0].startswith("session sessionid: new, cookie not sent; ")
    assert "; changed 'cart' (6 -> 10 B, inside of it); written" in lines[1]


def test_true_is_the_logger(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with (
        override_settings(DEBUG=True, SESSIONKIT={"STORE": "memory:", "TRACE": True}),
        caplog.at_level("DEBUG", "sessionkit.trace"),
    ):
        visit_twice(site)

    assert [record.name for record in caplog.records] == ["sessionkit.trace"] * 2


def test_without_debug_there_is_none(site: Site) -> None:
    lines: list[str] = []

    with override_settings(SESSIONKIT={"STORE": "memory:", "TRACE": lines.append}):
        visit_twice(site)

    assert lines == []


@pytest.mark.parametrize("debug", [True, False])
def test_a_wrong_setting_is_found_by_the_checks(debug: bool) -> None:
    with override_settings(DEBUG=debug, SESSIONKIT={"STORE": "memory:", "TRACE": "yes"}):
        found = [message.msg for message in run_checks() if message.id == "sessionkit.E001"]

    assert [text.partition(",")[0] for text in found] == ["SESSIONKIT['TRACE']: trace must be True"]
