"""Decorators of views: functions, coroutines and methods."""

from __future__ import annotations

import asyncio
import typing as t

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.views import View

from django_sessionkit.decorators import outage
from django_sessionkit.decorators import passive
from django_sessionkit.middleware import SessionMiddleware
from tests.spies import Spy


def show(request: t.Any) -> HttpResponse:
    return HttpResponse(f"{request.session.passive} {request.session.outage}")


def shown(view: t.Any) -> str:
    return str(SessionMiddleware(view)(RequestFactory().get("/")).content.decode())


@pytest.mark.usefixtures("spy")
def test_functions() -> None:
    assert shown(show) == "False error"
    assert shown(passive(show)) == "True error"
    assert shown(outage("unavailable")(show)) == "False unavailable"
    assert passive(show).__name__ == "show"


@pytest.mark.usefixtures("spy")
def test_methods_of_classes() -> None:
    @method_decorator([passive, outage("unavailable")], name="dispatch")
    class Page(View):
        def get(self, request: t.Any) -> HttpResponse:
            return show(request)

    assert shown(Page.as_view()) == "True unavailable"


def test_coroutines(spy: Spy) -> None:
    @passive
    async def poll(request: t.Any) -> HttpResponse:
        return show(request)

    middleware = SessionMiddleware(poll)
    response = asyncio.run(middleware(AsyncRequestFactory().get("/")))
    assert response.content == b"True error"
    assert spy.last_calls() == []


@pytest.mark.usefixtures("spy")
def test_what_was_said_outlasts_a_loaded_key() -> None:
    def view(request: t.Any) -> HttpResponse:
        request.session.load()
        return show(request)

    assert shown(passive(view)) == "True error"
