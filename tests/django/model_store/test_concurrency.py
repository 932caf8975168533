"""Requests at once lose nothing."""

from __future__ import annotations

import threading
import typing as t

from django.db import connections

from django_sessionkit.model_store import ModelStore
from sessionkit import SessionManager
from sessionkit.testing._support import in_threads
from tests.django.conftest import Site
from tests.django.model_store.support import put
from tests.django.model_store.support import show


def test_two_requests_at_once_lose_nothing(site: Site, store: ModelStore) -> None:
    barrier = threading.Barrier(4)

    def slow(request: t.Any) -> None:
        request.session[request.GET["key"]] = 1
        request.session.save()
        barrier.wait(20)

    browser = site(put=put, slow=slow, show=show)
    browser.get("/put")

    def request(key: str) -> None:
        other = site.browser()
        other.cookies["sessionid"] = browser.cookies["sessionid"].value
        assert other.get(f"/slow?key={key}").status_code == 200
        connections.close_all()

    threads = [threading.Thread(target=request, args=(key,)) for key in "bcde"]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert browser.get("/show").content == b"['a', 'b', 'c', 'd', 'e']"


def test_counters_of_threads_are_exact(store: ModelStore, manager: SessionManager) -> None:
    session = manager.start()
    session.save()
    key = session.draft.origin.session_id

    def count() -> None:
        for _ in range(5):
            mine = manager.load(key)
            assert mine is not None
            mine.mutate("n", lambda n: n + 1, 0)
            mine.save()

        connections.close_all()

    in_threads([count] * 4)
    found = manager.load(key)
    assert found is not None
    assert found["n"] == 20
