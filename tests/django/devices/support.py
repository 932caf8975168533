"""A browser that uses the page."""

from __future__ import annotations

import html
import re
import typing as t

from django.http import HttpResponse
from django.test import Client
from django.urls import include
from django.urls import path

from sessionkit import device_of

PAGE = "/account/devices/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
TEMPLATES: list[dict[str, t.Any]] = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
]
WITHOUT_USERS = ["django_sessionkit.middleware.SessionMiddleware"]


def enter(request: t.Any) -> HttpResponse:
    request.session.bind(
        request.POST["name"], label=request.POST.get("label"), **device_of(request.META)
    )
    return HttpResponse()


class URLs:
    urlpatterns: t.ClassVar[list[t.Any]] = [
        path("account/devices/", include("django_sessionkit.devices")),
        path("enter", enter),
    ]


def log_in(name: str = "alice", *, user_agent: str = "curl", **form: str) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.post("/enter", {"name": name, **form}, headers={"User-Agent": user_agent})
    return client


def text(client: Client) -> str:
    return client.get(PAGE).content.decode()


def names(page: str) -> list[str]:
    found = re.findall(r"<h2[^>]*>(.*?)</h2>", page, re.DOTALL)
    return [" ".join(html.unescape(re.sub("<[^>]*>", "", text)).split()) for text in found]


def press(client: Client, **button: str) -> str:
    """Press a button of the page; return the page after it."""
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "x" * 32
    client.cookies["csrftoken"] = token
    answer = client.post(PAGE, {"csrfmiddlewaretoken": token, **button})
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    return text(client)
