"""The status works with the URLs that Django's page shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "django.md"

SCRIPT = """
import django
from django.conf import settings
{settings}
given = {{name: value for name, value in globals().items() if name.isupper()}}
given["SESSIONKIT"] = {{"STORE": "memory:"}}
given["INSTALLED_APPS"] = ["django.contrib.auth", "django.contrib.contenttypes"]
settings.configure(**given, SECRET_KEY="test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__)
django.setup()

from django.http import HttpResponse
from django.test import Client
{urls}

def enter(request):
    request.session.bind("alice")
    return HttpResponse()

urlpatterns += [path("enter", enter)]
browser = Client()
browser.get("/enter")
print(browser.get("/session-status/").json()["state"])
from django_sessionkit import get_manager
get_manager().revoke_all("alice")
print(browser.get("/session-status/").json()["reason"])
"""


def test_the_urls_show_the_status() -> None:
    first, *sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    section = next(one for one in sections if one.startswith("Session status"))
    (urls,) = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    (general,) = re.findall(r"^```python\n(.*?)^```$", first, re.DOTALL | re.MULTILINE)
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(settings=general, urls=urls)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout.splitlines() == ["live", "revoked"], answer.stderr
