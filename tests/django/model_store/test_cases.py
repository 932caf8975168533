"""Django's own test classes in a project that has its sessions in its database, in parallel too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
SECRET_KEY = "test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
STATIC_URL = "static/"
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3", "NAME": "project.sqlite3", "ATOMIC_REQUESTS": True
}}
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django_sessionkit", "django_sessionkit.model_store",
]
MIDDLEWARE = [
    MIDDLEWARE_PATH, "django.contrib.auth.middleware.AuthenticationMiddleware",
]
SESSION_ENGINE = "django_sessionkit.engine"
SESSIONKIT = {"STORE": "django:"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""
URLS = """
from django.contrib.auth import logout
from django.http import HttpResponse
from django.urls import path

def add(request):
    request.session.setdefault("cart", []).append("tea")
    return HttpResponse(len(request.session["cart"]))

def early(request):
    request.session["early"] = 1
    request.session.save()
    return HttpResponse(request.session.session_key)

def leave(request):
    logout(request)
    return HttpResponse()

def who(request):
    return HttpResponse(str(request.user))

urlpatterns = [path(view.__name__, view) for view in (add, early, leave, who)]
"""
TESTS = """
import urllib.request

from django.contrib.auth.models import User
from django.db import transaction
from django.test import LiveServerTestCase, TestCase, TransactionTestCase

from django_sessionkit import get_manager
from django_sessionkit.model_store.models import Session


class Visits:
    def test_a_cart(self):
        assert Session.objects.count() == 0, "sessions of another test"
        assert [self.client.get("/add").content for _ in range(3)] == [b"1", b"2", b"3"]
        assert self.client.session["cart"] == ["tea"] * 3
        assert Session.objects.count() == 1

    def test_a_session_of_the_client(self):
        assert Session.objects.count() == 0, "sessions of another test"
        session = self.client.session
        session["cart"] = ["milk"]
        session.save()
        assert self.client.get("/add").content == b"2"

    def test_a_user(self):
        user = User.objects.create_user("alice")
        self.client.force_login(user)
        assert self.client.get("/who").content == b"alice"
        assert len(get_manager().sessions_of(user.pk)) == 1
        self.client.get("/leave")
        assert self.client.get("/who").content == b"AnonymousUser"
        assert get_manager().sessions_of(user.pk) == []

    def test_an_early_key(self):
        answer = self.client.get("/early")
        assert answer.content.decode() == answer.cookies["sessionid"].value
        assert self.client.session["early"] == 1

    def test_requests_inside_of_a_block(self):
        with transaction.atomic():
            self.client.get("/add")
            self.client.get("/add")
        assert self.client.session["cart"] == ["tea"] * 2


class InTransactions(Visits, TestCase):
    def test_statements(self):
        self.client.get("/add")
        # The view's savepoint, the read, and the write.
        with self.assertNumQueries(4):
            self.client.get("/add")


class WithFlushes(Visits, TransactionTestCase):
    pass


class OnAServer(LiveServerTestCase):
    def test_a_visit(self):
        with urllib.request.urlopen(self.live_server_url + "/add") as answer:
            assert "sessionid=" in answer.headers["Set-Cookie"]
        assert Session.objects.count() == 1
"""
STOCK = "django.contrib.sessions.middleware.SessionMiddleware"


@pytest.mark.parametrize(
    ("middleware", "options"),
    [
        ("django_sessionkit.middleware.SessionMiddleware", ["--parallel=2"]),
        (STOCK, ["--parallel=1", "--shuffle=1"]),
    ],
)
def test_a_projects_tests_pass(tmp_path: Path, middleware: str, options: list[str]) -> None:
    (tmp_path / "settings.py").write_text(SETTINGS.replace("MIDDLEWARE_PATH", repr(middleware)))
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "tests.py").write_text(TESTS)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "django", "test", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Ran 12 tests" in run.stderr
