"""A project with Django's admin, and visitors whose sessions are in its table."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import re
import typing as t
import urllib.parse

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.test import override_settings
from django.urls import path

from django_sessionkit.model_store.models import Session
from sessionkit import device_of
from tests.django import databases

LIST = "/admin/sessionkit_store/session/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MIDDLEWARE = [
    "django_sessionkit.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES: list[dict[str, t.Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": PROCESSORS},
    }
]


def visit(request: t.Any) -> HttpResponse:
    request.session["secret plan"] = "a marked value"

    if name := request.GET.get("name"):
        label = request.GET.get("label")
        request.session.bind(name, label=label, **device_of(request.META))

    return HttpResponse()


def whose(request: t.Any) -> HttpResponse:
    return HttpResponse(f"{request.session.owner} {request.session.get('secret plan')}")


class URLs:
    urlpatterns: t.ClassVar[list[t.Any]] = [
        path("admin/", admin.site.urls),
        path("visit", visit),
        path("whose", whose),
    ]


@contextlib.contextmanager
def project(
    database: databases.Database | None = None, **sessionkit: t.Any
) -> cabc.Generator[None, None, None]:
    """A project whose sessions are in its own database, or in another one."""
    alias = "default" if database is None else "sessions"

    if database is not None:
        databases.use(alias, database)

    call_command("migrate", "sessionkit_store", database=alias, verbosity=0)
    rows = Session.objects.using(alias)
    given = {
        "ROOT_URLCONF": URLs,
        "MIDDLEWARE": MIDDLEWARE,
        "TEMPLATES": TEMPLATES,
        "STATIC_URL": "/static/",
        "SESSIONKIT": {"STORE": f"django:?using={alias}", **sessionkit},
    }

    try:
        with override_settings(**given):
            yield
    finally:
        rows.all().delete()

        if database is not None:
            databases.forget(alias)


def visitor(name: str | None = None, *, user_agent: str = "curl", **query: str) -> Client:
    """Return a browser with a session; *name* is its owner."""
    client = Client(headers={"User-Agent": user_agent})
    client.get("/visit", {**query, **({"name": name} if name else {})})
    return client


def staff(user: User, *permissions: str) -> Client:
    """Return the browser of somebody who may work in the admin, and what else *permissions* say."""
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def is_alive(client: Client) -> bool:
    return client.get("/whose").content.decode().endswith("a marked value")


def page(client: Client, **query: str) -> str:
    """Return the list."""
    answer = client.get(LIST, query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def table(client: Client, **query: str) -> list[list[str]]:
    """Return the cells of the list, without the checkboxes."""
    text = page(client, **query)
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    cells = [re.findall(r"<t[hd] class=\"field[^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub("<[^>]*>", "", cell).split()) for cell in row] for row in cells]


def owners(client: Client, **query: str) -> list[str]:
    """Return the owners in the list, in the order of the alphabet."""
    return sorted(row[2] for row in table(client, **query))


def names(client: Client, **query: str) -> list[str]:
    """Return what the list calls its rows."""
    return re.findall(rf'href="{LIST}([^/"]*)/change/', page(client, **query))


def end(client: Client, *selected: str, everything: bool = False, **query: str) -> str:
    """End what is selected, or all that *query* shows; return the text of the messages."""
    form: dict[str, t.Any] = {"action": "end_selected", "_selected_action": selected}

    if everything:
        form |= {"select_across": "1", "_selected_action": "0" * 16}

    return submit(client, form, **query)


def submit(client: Client, form: dict[str, t.Any], **query: str) -> str:
    answer = client.post(f"{LIST}?{urllib.parse.urlencode(query)}", form, follow=True)
    assert answer.status_code == 200
    found = re.search(r'<ul class="messagelist">(.*?)</ul>', answer.content.decode(), re.DOTALL)
    return "" if found is None else " ".join(re.sub("<[^>]*>", " ", found[1]).split())
