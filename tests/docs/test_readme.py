"""The examples of the README and of Django's page work; tests/tutorial follows the rest."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import typing as t
from pathlib import Path

import pytest
from werkzeug.test import Client

from sessionkit import SessionManager
from sessionkit.stores import open_store

ROOT = Path(__file__).parents[2]


def example(page: str, heading: str, number: int = 0) -> str:
    text = (ROOT / page).read_text("utf-8")
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
    found = list(re.finditer(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))
    return found[number][1]


def run(source: str, **names: t.Any) -> dict[str, t.Any]:
    namespace = {"__name__": "example", **names}
    exec(source, namespace)
    return namespace


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_plain_wsgi_counts_visits() -> None:
    client = Client(run(example("README.md", "Plain WSGI"))["application"])
    assert [client.get("/").text for _ in range(2)] == ["Hello, visit 1.\n", "Hello, visit 2.\n"]


def test_the_flask_shop_logs_in_and_out() -> None:
    app = run(example("README.md", "Flask"))["app"]
    app.instance_path = str(Path.cwd() / "instance")
    client = app.test_client()
    client.post("/cart", data={"item": "tea"})
    client.post("/login", data={"name": "alice"})
    assert client.get("/").json == {"user": "alice", "cart": ["tea"]}
    client.post("/logout")
    assert client.get("/").json == {"user": None, "cart": []}


def test_every_line_of_the_handlers_overview_runs() -> None:
    manager = SessionManager(open_store("memory:"))
    session = manager.open()
    session.update(user="alice", cart=[])
    run(example("README.md", "In every handler"), session=session, manager=manager)


DJANGO = """
import django
from django.conf import settings
{settings}
given = {{name: value for name, value in globals().items() if name.isupper()}}
given["SESSIONKIT"] = {{"STORE": "memory:"}}
settings.configure(
    **given, SECRET_KEY="test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_sessionkit"],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import path

def log_out_elsewhere(request):
{handler}
    return HttpResponse(str(request.user))

urlpatterns = [path("", log_out_elsewhere)]
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
user = User.objects.create_user("alice")
here, there = Client(), Client()
here.force_login(user)
there.force_login(user)
print(here.get("/").content.decode(), here.get("/").content.decode())
print("_auth_user_id" in there.session)
"""


def test_djangos_settings_and_logging_out_elsewhere() -> None:
    handler = textwrap.indent(example("docs/django.md", "Users"), "    ")
    script = DJANGO.format(settings=example("docs/django.md", "Django"), handler=handler)
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert answer.stdout.splitlines()[-2:] == ["alice alice", "False"], answer.stderr
