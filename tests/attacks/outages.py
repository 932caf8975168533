"""What holds in every outage, whatever the store and whatever has happened to it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time

from .conftest import Log
from .website import Visitor
from .website import Website
from .website import until

#: Seconds that so many requests may take, also on a slow machine that does other things beside it.
#: If each had to wait for the store, they would take ten times as long.
OFTEN, QUICKLY = 50, 1.5


def ask_often(visitor: Visitor, path: str, times: int) -> float:
    """Return how many seconds these requests took, none of which said anything about cookies."""
    started = time.monotonic()

    for _ in range(times):
        assert not visitor.get(path).sets_cookie

    return time.monotonic() - started


def nobody_is_logged_out(
    website: Website, trouble: contextlib.AbstractContextManager[object], log: Log
) -> None:
    """Nothing can be read or written: 503 where the session is needed, and nothing else."""
    alice, stranger = website.visitor(user="alice"), website.visitor()

    with trouble:
        read, written, login = alice.get("/read"), alice.post("/write"), stranger.post("/login")
        assert (read.status, written.status, login.status) == (503, 503, 503)
        assert (read.sets_cookie, written.sets_cookie, login.sets_cookie) == (False, False, False)
        assert "Retry-After" in read.headers
        assert "Retry-After" not in written.headers
        ask_often(alice, "/read", 3)
        assert ask_often(alice, "/read", OFTEN) < QUICKLY
        assert ask_often(alice, "/untouched", OFTEN) < QUICKLY
        assert len(log()) == 1

    _recovers(alice, log)


def what_can_be_read_is_read(
    website: Website, trouble: contextlib.AbstractContextManager[object], log: Log
) -> None:
    """Nothing can be written: 503 where something is, and everybody else goes on."""
    alice, stranger = website.visitor(user="alice"), website.visitor()

    with trouble:
        for _ in range(4):
            written, login = alice.post("/write"), stranger.post("/login")
            assert (written.status, login.status) == (503, 503)
            assert (written.sets_cookie, login.sets_cookie) == (False, False)
            assert alice.get("/read").text == "alice"

        assert ask_often(alice, "/write", OFTEN) < QUICKLY
        assert ask_often(alice, "/read", OFTEN) < QUICKLY
        assert alice.get("/read").text == "alice"
        assert len(log()) == 1

    _recovers(alice, log)


def _recovers(alice: Visitor, log: Log) -> None:
    until(lambda: alice.post("/write").status == 200)
    assert alice.get("/read").text == "alice"
    until(lambda: alice.post("/write").status == 200 and len(log()) > 1)
    assert [line.partition(":")[0] for line in log()] == ["ERROR", "WARNING"]


def a_site_goes_on_without_sessions(
    website: Website, trouble: contextlib.AbstractContextManager[object]
) -> None:
    """The policy says ``outage="unavailable"``."""
    alice = website.visitor(user="alice")

    with trouble:
        assert alice.get("/read").text == "nobody"
        assert alice.get("/state").text == "unavailable, 0 keys, available False"
        assert alice.post("/write").status == 200

        for path in ("/login", "/renew", "/save", "/mutate"):
            answer = alice.post(path)
            assert (path, answer.status, answer.sets_cookie) == (path, 503, False)

    until(lambda: alice.get("/read").text == "alice")


def who_logs_out_is_told_the_truth(
    website: Website, trouble: contextlib.AbstractContextManager[object]
) -> None:
    """The one change to a cookie that an outage may cause."""
    alice = website.visitor(user="alice")
    thief = website.visitor()
    thief.cookie = alice.cookie

    with trouble:
        answer = alice.post("/logout")
        assert (answer.status, answer.deletes_cookie, alice.cookie) == (503, True, None)
        assert "the server could not be told" in answer.text

    until(lambda: thief.get("/read").text == "alice")
    assert alice.get("/read").text == "nobody"


def many_visitors_at_once(
    website: Website, trouble: contextlib.AbstractContextManager[object], log: Log
) -> None:
    """They are told 503 at most, nothing about cookies, and go on when it is over."""
    visitors = [website.visitor(user="alice") for _ in range(8)]
    over = threading.Event()

    def wander(visitor: Visitor) -> None:
        while not over.is_set():
            for answer in (visitor.get("/read"), visitor.post("/write")):
                assert answer.status in (200, 503)
                assert not answer.sets_cookie

    with concurrent.futures.ThreadPoolExecutor(len(visitors)) as pool:
        wandering = [pool.submit(wander, visitor) for visitor in visitors]

        with trouble:
            until(lambda: len(log()) == 1)
            ask_often(website.visitor(), "/untouched", OFTEN)

        until(lambda: len(log()) > 1)
        over.set()

    assert [future.exception() for future in wandering] == [None] * len(visitors)
    until(lambda: all(visitor.get("/read").text == "alice" for visitor in visitors))
    assert [line.partition(":")[0] for line in log()] == ["ERROR", "WARNING"]
