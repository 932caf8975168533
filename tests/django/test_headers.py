"""The session's headers, whatever Django keeps the headers of an answer in."""

from __future__ import annotations

import typing as t

import pytest
from django.http import HttpResponse
from werkzeug.datastructures import Headers

from django_sessionkit.headers import add_plain_headers
from sessionkit import Session
from sessionkit.base_manager import BaseManager


@pytest.fixture(params=["Django's", "another"])
def response(request: pytest.FixtureRequest) -> HttpResponse:
    made = HttpResponse()

    if request.param == "another":
        made.headers = t.cast(t.Any, Headers())

    return made


@pytest.fixture
def session(manager: BaseManager) -> Session:
    made = manager.open()
    made.get("user")
    return made


def test_an_answer_without_any(response: HttpResponse, session: Session) -> None:
    add_plain_headers(response, session, None)
    assert (response["Vary"], response["Cache-Control"]) == ("Cookie", "private")


def test_those_of_the_application_are_kept(response: HttpResponse, session: Session) -> None:
    response["vary"] = "Accept"
    response["cache-control"] = "max-age=60"
    add_plain_headers(response, session, None)
    assert [value for name, value in response.items() if name.lower() == "vary"] == [
        "Accept, Cookie"
    ]
    assert (response["VARY"], response["Cache-Control"]) == ("Accept, Cookie", "max-age=60")
