"""Projects that are set up by what Django's page shows."""

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
from django.urls import reverse
{urls}
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
{visit}
"""


def visited(title: str, visit: str) -> subprocess.CompletedProcess[str]:
    """Run *visit* in a project with the settings and the URLs of a section of the page."""
    first, *sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    section = next(one for one in sections if one.startswith(title))
    urls, settings = _python(section)
    (general,) = _python(first)
    script = SCRIPT.format(settings=general + settings, urls=urls, visit=visit)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


def _python(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
