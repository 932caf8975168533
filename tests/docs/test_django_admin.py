"""The admin works with the settings and the URLs that Django's page shows."""

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
    STATIC_URL="/static/",
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
{urls}
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
boss, alice = Client(), Client()
boss.force_login(User.objects.create_superuser("boss"))
alice.force_login(User.objects.create_user("alice"))
url = "/admin/sessionkit_store/session/"
page = boss.get(url, {{"q": "alice"}}).content.decode()
name = page.partition('name="_selected_action" value="')[2].partition('"')[0]
boss.post(url, {{"action": "end_selected", "_selected_action": name}})
print(len(name), page.count("alice</bdi>"), "_auth_user_id" in alice.session)
"""


def test_the_settings_and_the_urls_show_the_sessions_and_end_one() -> None:
    first, *sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    section = next(one for one in sections if one.startswith("Admin"))
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
    assert answer.stdout.splitlines()[-1:] == ["16 1 False"], answer.stderr
