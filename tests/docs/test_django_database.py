"""Sessions in the project's database work with the settings that Django's page shows."""

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
settings.configure(
    **given, SECRET_KEY="test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    DATABASES={{"default": {{
        "ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "ATOMIC_REQUESTS": True
    }}}},
)
django.setup()

from django.core.management import call_command
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path

def count(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    transaction.set_rollback(True)
    return HttpResponse(str(request.session["visits"]))

urlpatterns = [path("", count)]
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
browser = Client()
print(browser.get("/").content.decode(), browser.get("/").content.decode())
"""


def test_the_settings_work_and_a_view_that_is_rolled_back_keeps_its_session() -> None:
    first, *sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    section = next(one for one in sections if one.startswith("Sessions in the project"))
    examples = [
        match[1]
        for text in (first, section)
        for match in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(settings="\n".join(examples))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout.splitlines()[-1:] == ["1 2"], answer.stderr
