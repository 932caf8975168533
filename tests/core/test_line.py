"""Standing in line for a session: who has the turn, and what becomes of offers."""

from __future__ import annotations

import concurrent.futures
import os
import sys
import time

import pytest

from sessionkit.line import LONGEST_TURN
from sessionkit.line import Line
from sessionkit.line import Offer
from sessionkit.line import Place
from sessionkit.store import Record

RECORD = Record(b"", 1, 1.0)


@pytest.fixture
def lines() -> dict[str, Line]:
    return {}


@pytest.fixture
def places(lines: dict[str, Line]) -> list[Place]:
    """Four in the same line, the first one first."""
    places = [Place(lines, "key") for _ in range(4)]

    for place in places:
        place.stand_in_line()

    return places


def test_the_turn_goes_by_the_order_of_arrival(lines: dict[str, Line], places: list[Place]) -> None:
    first, second, third, fourth = places
    second.leave()

    for place in (first, third, fourth):
        assert [other for other in places if other.has_turn] == [place]
        assert place.wait_for_a_move() is True
        place.leave()

    assert not lines


def test_who_leaves_calls_the_next_one_at_once(places: list[Place]) -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(places[1].wait_for_a_move)
        started = time.monotonic()
        places[0].leave()
        assert waiting.result() is True

    assert places[1].has_turn
    assert time.monotonic() - started < LONGEST_TURN


def test_a_line_that_does_not_move_is_noticed(places: list[Place]) -> None:
    assert places[1].wait_for_a_move() is False
    assert not places[1].has_turn


def test_what_was_taken_and_not_written_is_there_for_the_next_one(places: list[Place]) -> None:
    offers = [Offer({"a": b"1"}), Offer({"b": b"1"})]

    for place, offer in zip(places[2:], offers, strict=True):
        place.stand_in_line(offer)

    assert places[1].take_offers() == []
    assert places[0].take_offers() == offers
    assert [place.withdraw(offer) for place, offer in zip(places[2:], offers, strict=True)] == [
        False,
        False,
    ]
    offers[0].written = RECORD
    places[0].leave()
    assert places[1].take_offers() == offers[1:]


def test_an_offer_can_be_withdrawn_until_it_is_taken(places: list[Place]) -> None:
    offer = Offer({})
    places[1].stand_in_line(offer)
    assert places[1].withdraw(offer) is True
    assert places[0].take_offers() == []


@pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")
def test_a_child_does_not_wait_for_those_that_its_parent_has(
    lines: dict[str, Line], places: list[Place]
) -> None:
    places[1].stand_in_line(Offer({"a": b"1"}))
    child = os.fork()

    if not child:
        place = Place(lines, "key")
        place.stand_in_line()
        os._exit(0 if place.has_turn and not place.take_offers() else 1)

    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
