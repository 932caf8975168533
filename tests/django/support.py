"""Views that several tests have."""

from __future__ import annotations

import typing as t


def put(request: t.Any) -> str:
    request.session[request.GET.get("key", "a")] = request.GET.get("value", "1")
    return "put"


def show(request: t.Any) -> object:
    return sorted(request.session.items())


def cookie_of(response: t.Any) -> str | None:
    morsel = response.cookies.get("sessionid")
    return None if morsel is None else morsel.OutputString()


def text(response: t.Any) -> str:
    assert response.status_code == 200
    return t.cast(str, response.content.decode())
