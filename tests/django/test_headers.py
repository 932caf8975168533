"""Headers of an answer, whatever Django keeps them in."""

from __future__ import annotations

import typing as t

import pytest
from django.http import HttpResponse
from werkzeug.datastructures import Headers

from django_sessionkit import headers


@pytest.fixture(params=["Django's", "another"])
def response(request: pytest.FixtureRequest) -> HttpResponse:
    made = HttpResponse()

    if request.param == "another":
        made.headers = t.cast(t.Any, Headers())

    return made


def test_a_header_that_is_not_there(response: HttpResponse) -> None:
    assert headers.find(response, "Vary") is None


def test_a_header_of_the_application_is_found_and_replaced(response: HttpResponse) -> None:
    response["vary"] = "Accept"
    assert headers.find(response, "Vary") == "Accept"
    headers.put(response, "Vary", "Accept, Cookie")
    assert [value for name, value in response.items() if name == "Vary"] == ["Accept, Cookie"]
    assert response["VARY"] == "Accept, Cookie"
