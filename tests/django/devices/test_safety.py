"""What the page refuses, hides and escapes."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from sessionkit.base_manager import BaseManager
from tests.django.devices.support import PAGE
from tests.django.devices.support import log_in
from tests.django.devices.support import names
from tests.django.devices.support import press
from tests.django.devices.support import text
from tests.spies import Spy


@pytest.mark.usefixtures("manager")
class TestItsSafety:
    def test_a_foreign_session_cannot_be_ended(self, manager: BaseManager) -> None:
        alice, _ = log_in(), log_in("bob")
        (foreign,) = manager.sessions_of("bob")
        assert "logged out already" in press(alice, end=foreign.public_id)
        assert len(manager.sessions_of("bob")) == 1

    def test_whoever_is_not_logged_in_sees_and_ends_nothing(self, manager: BaseManager) -> None:
        log_in()
        assert Client().get(PAGE).status_code == 403
        assert Client().post(PAGE, {"others": "1"}).status_code == 403
        assert len(manager.sessions_of("alice")) == 1

    @pytest.mark.parametrize("token", ["", "x", "y" * 32])
    def test_a_form_from_elsewhere_ends_nothing(self, manager: BaseManager, token: str) -> None:
        here, _ = log_in(), log_in()
        text(here)
        answer = here.post(PAGE, {"others": "1", "csrfmiddlewaretoken": token})
        assert answer.status_code == 403
        assert len(manager.sessions_of("alice")) == 2

    @pytest.mark.parametrize(
        "sent",
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{% now 'Y' %}", "工作"],
    )
    def test_what_clients_send_is_shown_as_text(self, sent: str) -> None:
        agent = sent if sent.isascii() else "curl"
        log_in(user_agent=agent)
        page = text(log_in(label=sent))
        assert sorted(names(page)) == sorted([f"{sent} This device", agent])
        assert not re.search("<(script|img)", page)

    def test_a_user_agent_of_10_kb(self) -> None:
        assert names(text(log_in(user_agent="y" * 10_000))) == ["y" * 256 + " This device"]

    def test_the_page_is_kept_by_nobody_and_shown_in_no_frame(self) -> None:
        page = log_in().get(PAGE)
        assert "no-store" in page.headers["Cache-Control"]
        assert page.headers["X-Frame-Options"] == "DENY"

    def test_no_id_and_no_key_is_on_the_page_or_in_a_url(self, spy: Spy) -> None:
        here, _ = log_in(), log_in()
        page = text(here)
        stored = [*spy.keys()]
        assert stored
        assert not any(key in page for key in stored)
        assert here.cookies["sessionid"].value not in page
        assert re.findall(r'(?:href|action)="([^"]+)"', page) == [PAGE + "devices.css"]

    def test_the_page_has_nothing_that_a_strict_policy_forbids(self) -> None:
        client = log_in()
        assert not re.search(r"<style|<script|style=|\son\w+=|https?://", text(client))
        stylesheet = client.get(PAGE + "devices.css")
        assert stylesheet.headers["Content-Type"] == "text/css; charset=utf-8"
        assert "Vary" not in stylesheet.headers
        assert b".sessionkit-devices" in stylesheet.content
