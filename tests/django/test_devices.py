"""The devices page in Django: its user alone sees and ends where they are logged in."""

from __future__ import annotations

import collections.abc as cabc
import html
import re
import typing as t

import pytest
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest
from django.http import HttpResponse
from django.test import Client
from django.test import override_settings
from django.urls import include
from django.urls import path
from django.utils import translation

from django_sessionkit import devices
from django_sessionkit import get_manager
from django_sessionkit.checks import check_settings
from sessionkit import SessionManager
from sessionkit import device_of
from sessionkit.base_manager import BaseManager
from sessionkit.testing import FakeClock
from sessionkit.testing.fixtures import session_clock as session_clock  # noqa: PLC0414
from tests.spies import Spy

from .conftest import session_of
from .conftest import use_middleware

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


@pytest.fixture(autouse=True)
def project() -> cabc.Generator[None, None, None]:
    """A project without users, whose own views bind sessions."""
    with override_settings(ROOT_URLCONF=URLs, TEMPLATES=TEMPLATES, MIDDLEWARE=WITHOUT_USERS):
        yield


@pytest.fixture
def with_users() -> cabc.Generator[None, None, None]:
    middleware = [*WITHOUT_USERS, "django.contrib.auth.middleware.AuthenticationMiddleware"]

    with override_settings(MIDDLEWARE=middleware):
        yield


@pytest.fixture
def manager(spy: Spy) -> BaseManager:
    return get_manager()


def log_in(name: str = "alice", *, user_agent: str = "curl", **form: str) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.post("/enter", {"name": name, **form}, headers={"User-Agent": user_agent})
    return client


def text(client: Client) -> str:
    return client.get(PAGE).content.decode()


def names(page: str) -> list[str]:
    found = re.findall(r"<h2[^>]*>(.*?)</h2>", page, re.DOTALL)
    return [" ".join(html.unescape(re.sub("<[^>]*>", "", text)).split()) for text in found]


def public_ids(page: str) -> list[str]:
    return re.findall(r'name="end" value="([^"]+)"', page)


def press(client: Client, **button: str) -> str:
    """Press a button of the page; return the page after it."""
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "x" * 32
    client.cookies["csrftoken"] = token
    answer = client.post(PAGE, {"csrfmiddlewaretoken": token, **button})
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    return text(client)


@pytest.mark.usefixtures("manager")
class TestThePage:
    def test_the_list_names_devices_and_this_one(self) -> None:
        log_in(user_agent=FIREFOX)
        log_in(label="Phone", user_agent=FIREFOX)
        page = text(log_in(user_agent="curl/8"))

        assert sorted(names(page)) == ["Firefox on Linux", "Phone", "curl/8 This device"]
        assert page.count("127.0.0.1") == 3
        assert len(public_ids(page)) == 2

    def test_one_is_ended(self) -> None:
        here, _, _ = log_in(), log_in(), log_in()
        page = press(here, end=public_ids(text(here))[0])
        assert "The device was logged out." in page
        assert len(names(page)) == 2
        assert "logged out." not in text(here)

    def test_all_others_are_ended(self, manager: BaseManager) -> None:
        here, there, bob = log_in(), log_in(), log_in("bob")
        page = press(here, others="1")
        assert "All other devices were logged out." in page
        assert "Log out all" not in page
        owners = [session_of(client).owner for client in (here, there, bob)]
        assert owners == ["alice", None, "bob"]

    def test_a_foreign_session_cannot_be_ended(self, manager: BaseManager) -> None:
        alice, _ = log_in(), log_in("bob")
        (foreign,) = manager.sessions_of("bob")
        assert "logged out already" in press(alice, end=foreign.public_id)
        assert len(manager.sessions_of("bob")) == 1

    @pytest.mark.parametrize("end", ["", "x", "x" * 10_000, "\0", "../../", "é"])
    def test_what_there_is_not_is_logged_out_already(self, end: str) -> None:
        assert "logged out already" in press(log_in(), end=end)

    def test_one_that_was_ended_meanwhile(self, manager: BaseManager) -> None:
        here, _ = log_in(), log_in()
        (other,) = public_ids(text(here))
        assert manager.revoke("alice", other)
        page = press(here, end=other)
        assert "logged out already" in page
        assert len(names(page)) == 1

    @pytest.mark.parametrize("ended", ["here", "there"])
    def test_one_that_is_ended_while_it_is_listed_is_not_shown(
        self, manager: BaseManager, spy: Spy, ended: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, _ = log_in(label="here"), log_in(label="there")
        (wanted,) = (info.public_id for info in manager.sessions_of("alice") if info.label == ended)
        owned_by = spy.owned_by

        def end_what_is_listed(owner: str, now: float) -> cabc.Collection[str]:
            keys = owned_by(owner, now)
            monkeypatch.setattr(spy, "owned_by", owned_by)
            assert manager.revoke("alice", wanted)
            return keys

        monkeypatch.setattr(spy, "owned_by", end_what_is_listed)
        page = text(here)
        assert names(page) == (["there"] if ended == "here" else ["here This device"])
        assert here.get(PAGE).status_code == (403 if ended == "here" else 200)

    def test_this_device_is_logged_out_elsewhere(self, manager: BaseManager) -> None:
        client = log_in()
        (info,) = manager.sessions_of("alice")
        assert "Log out as usual" in press(client, end=info.public_id)
        assert session_of(client).owner == "alice"

    def test_whoever_is_not_logged_in_sees_and_ends_nothing(self, manager: BaseManager) -> None:
        log_in()
        assert Client().get(PAGE).status_code == 403
        assert Client().post(PAGE, {"others": "1"}).status_code == 403
        assert len(manager.sessions_of("alice")) == 1

    @pytest.mark.parametrize("token", ["", "x", "y" * 32])
    def test_a_form_from_elsewhere_ends_nothing(self, manager: BaseManager, token: str) -> None:
        here, _ = log_in(), log_in()
        text(here)
        answer = here.post(PAGE, {"others": "1", "csrfmiddlewaretoken": token})
        assert answer.status_code == 403
        assert len(manager.sessions_of("alice")) == 2

    @pytest.mark.parametrize(
        "sent",
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{% now 'Y' %}", "工作"],
    )
    def test_what_clients_send_is_shown_as_text(self, sent: str) -> None:
        agent = sent if sent.isascii() else "curl"
        log_in(user_agent=agent)
        page = text(log_in(label=sent))
        assert sorted(names(page)) == sorted([f"{sent} This device", agent])
        assert not re.search("<(script|img)", page)

    def test_a_user_agent_of_10_kb(self) -> None:
        assert names(text(log_in(user_agent="y" * 10_000))) == ["y" * 256 + " This device"]

    def test_an_expired_session_is_not_listed(
        self, manager: SessionManager, session_clock: FakeClock
    ) -> None:
        old = log_in(label="old")
        session_clock.advance(settings.SESSION_COOKIE_AGE + 1)
        assert names(text(log_in(label="new"))) == ["new This device"]
        assert old.get(PAGE).status_code == 403

    def test_an_outage_is_a_503(self, spy: Spy) -> None:
        client = log_in()
        text(client)
        token = "x" * 32
        client.cookies["csrftoken"] = token
        spy.down = True
        assert client.get(PAGE).status_code == 503
        form = {"csrfmiddlewaretoken": token, "others": "1"}
        assert client.post(PAGE, form).status_code == 503

    def test_an_outage_is_no_logout_where_the_policy_shows_an_empty_session(self, spy: Spy) -> None:
        with override_settings(SESSIONKIT={"STORE": spy, "POLICY": {"outage": "unavailable"}}):
            client = log_in()
            spy.down = True
            assert client.get(PAGE).status_code == 503

    def test_the_page_is_kept_by_nobody_and_shown_in_no_frame(self) -> None:
        page = log_in().get(PAGE)
        assert "no-store" in page.headers["Cache-Control"]
        assert page.headers["X-Frame-Options"] == "DENY"

    def test_no_id_and_no_key_is_on_the_page_or_in_a_url(self, spy: Spy) -> None:
        here, _ = log_in(), log_in()
        page = text(here)
        stored = [*spy.keys()]
        assert stored
        assert not any(key in page for key in stored)
        assert here.cookies["sessionid"].value not in page
        assert re.findall(r'(?:href|action)="([^"]+)"', page) == [PAGE + "devices.css"]

    def test_the_page_has_nothing_that_a_strict_policy_forbids(self) -> None:
        client = log_in()
        assert not re.search(r"<style|<script|style=|\son\w+=|https?://", text(client))
        stylesheet = client.get(PAGE + "devices.css")
        assert stylesheet.headers["Content-Type"] == "text/css; charset=utf-8"
        assert "Vary" not in stylesheet.headers
        assert b".sessionkit-devices" in stylesheet.content

    def test_a_site_restyles_it_by_templates_of_its_own(self) -> None:
        base = "my frame {% block content %}{% endblock %}"
        loaders = [
            ("django.template.loaders.locmem.Loader", {"sessionkit/base.html": base}),
            "django.template.loaders.app_directories.Loader",
        ]
        backend = {"BACKEND": TEMPLATES[0]["BACKEND"], "OPTIONS": {"loaders": loaders}}
        with override_settings(TEMPLATES=[backend]):
            page = text(log_in())
        assert page.startswith("my frame")
        assert "This device" in page

    def test_the_language_is_the_requests(self) -> None:
        with translation.override("ar"):
            page = text(log_in())
        assert '<html lang="ar" dir="rtl">' in page

    def test_within_another_namespace(self) -> None:
        class Outer:
            urlpatterns: t.ClassVar[list[t.Any]] = [
                path("enter", enter),
                path("me/", include((URLs.urlpatterns, "account"))),
            ]

        with override_settings(ROOT_URLCONF=Outer):
            page = log_in().get("/me/account/devices/").content.decode()
        assert 'href="/me/account/devices/devices.css"' in page


def test_another_session_engine_is_named() -> None:
    request = HttpRequest()
    request.method = "GET"
    request.session = t.cast(t.Any, {})
    with pytest.raises(ImproperlyConfigured, match=r"django_sessionkit\.engine"):
        devices.devices(request)


@pytest.mark.usefixtures("with_users", "manager")
class TestUsers:
    def test_whoever_is_not_logged_in_goes_to_the_login_page(self) -> None:
        answer = Client().get(PAGE)
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/accounts/login/?next=/account/devices/"

    def test_djangos_user_sees_their_devices(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        assert names(text(client)) == ["Unknown device This device"]

    def test_an_old_password_shows_nothing(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        User.objects.filter(pk=user.pk).update(password="another")
        assert client.get(PAGE).status_code == 302


def django_login(request: t.Any) -> HttpResponse:
    user = User.objects.get(pk=request.POST["name"])
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse()


@pytest.mark.parametrize("middleware", ["ours", "stock"])
@pytest.mark.parametrize("remembers", [True, False])
def test_a_login_remembers_the_device_if_asked_to(
    user: User, middleware: str, remembers: bool, spy: Spy
) -> None:
    class Login:
        urlpatterns: t.ClassVar[list[t.Any]] = [path("enter", django_login)]

    sessionkit = {"STORE": spy, "REMEMBER_DEVICES": remembers}
    with override_settings(ROOT_URLCONF=Login, SESSIONKIT=sessionkit), use_middleware(middleware):
        client = Client()
        for _ in range(2):
            client.post("/enter", {"name": user.pk}, headers={"User-Agent": FIREFOX})
        (info,) = get_manager().sessions_of(user.pk)
    assert (info.browser, info.address) == (("Firefox", "127.0.0.1") if remembers else (None, None))


def test_whether_devices_are_remembered_is_true_or_false() -> None:
    with override_settings(SESSIONKIT={"STORE": "memory:", "REMEMBER_DEVICES": "no"}):
        (found,) = check_settings()
    assert "SESSIONKIT['REMEMBER_DEVICES'] must be True or False" in found.msg


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("is_atomic", [True, False])
def test_sessions_in_the_projects_database(
    is_atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)

    with override_settings(SESSIONKIT={"STORE": "django:"}):
        name = f"atomic {is_atomic}"
        here, there, _ = log_in(name), log_in(name), log_in(name)
        assert len(names(press(here, end=public_ids(text(here))[0]))) == 2
        assert len(names(press(here, others="1"))) == 1
        assert there.get(PAGE).status_code == 403
