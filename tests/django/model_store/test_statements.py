"""How many statements a request needs."""

from __future__ import annotations

from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_sessionkit.model_store import ModelStore
from tests.django.conftest import Site
from tests.django.model_store.support import ALIAS
from tests.django.model_store.support import enter
from tests.django.model_store.support import put
from tests.django.model_store.support import show


def statements(browser: Client, path: str) -> list[str]:
    """Return the first words of what is executed, and what the view executes after its *BEGIN*."""
    with CaptureQueriesContext(connections[ALIAS]) as captured:
        browser.get(path)

    return [query["sql"].split()[0] for query in captured.captured_queries]


class TestStatements:
    """BEGIN and COMMIT of the views are the application's."""

    def test_an_untouched_session_needs_none(self, site: Site, store: ModelStore) -> None:
        browser = site(put=put, idle=lambda request: None)
        browser.get("/put")
        assert statements(browser, "/idle") == ["BEGIN", "COMMIT"]

    def test_a_read_needs_one(self, site: Site, store: ModelStore) -> None:
        browser = site(put=put, show=show)
        browser.get("/put")
        assert statements(browser, "/show") == ["BEGIN", "SELECT", "COMMIT"]

    def test_a_creation_needs_one(self, site: Site, store: ModelStore) -> None:
        assert statements(site(put=put), "/put") == ["BEGIN", "COMMIT", "INSERT"]

    def test_a_write_needs_two_and_the_second_after_the_transaction(
        self, site: Site, store: ModelStore
    ) -> None:
        browser = site(put=put)
        browser.get("/put")
        expected = ["BEGIN", "SELECT", "COMMIT", "UPDATE"]
        assert statements(browser, "/put?key=b") == expected

    def test_a_login_moves_the_session_in_one_transaction(
        self, site: Site, store: ModelStore, user: User
    ) -> None:
        browser = site(put=put, enter=enter(user))
        browser.get("/put")
        read = ["BEGIN", "SELECT", "COMMIT"]
        assert statements(browser, "/enter") == [*read, "BEGIN", "UPDATE", "INSERT", "COMMIT"]

    def test_a_logout_needs_one(self, site: Site, store: ModelStore, user: User) -> None:
        browser = site(leave=logout, enter=enter(user))
        browser.get("/enter")
        assert statements(browser, "/leave") == ["BEGIN", "SELECT", "COMMIT", "DELETE"]
