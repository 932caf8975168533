"""The devices page works with the settings and the URLs that Django's page shows."""

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
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
{urls}
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
here, there = Client(), Client()
print(here.get(reverse("sessionkit:devices")).headers["Location"])
user = User.objects.create_user("alice")
here.force_login(user)
there.force_login(user)
page = here.get("/account/devices/").content.decode()
print(page.count("<li>"), page.count("This device"))
"""


def test_the_settings_and_the_urls_show_the_page() -> None:
    first, *sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    section = next(one for one in sections if one.startswith("Devices"))
    urls, settings = (
        match[1]
        for match in re.finditer(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    )
    (general,) = re.findall(r"^```python\n(.*?)^```$", first, re.DOTALL | re.MULTILINE)
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(settings=general + settings, urls=urls)],
        capture_output=True,
        text=True,
        check=False,
    )
    expected = ["/accounts/login/?next=/account/devices/", "2 1"]
    assert answer.stdout.splitlines()[-2:] == expected, answer.stderr
