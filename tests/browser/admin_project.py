"""A Django project with the admin and its static files, served in a process of its own."""

from __future__ import annotations

import sys
import typing as t

import django
from django.conf import settings

from tests.demo.server import ROOT
from tests.demo.server import DemoServer

START: t.Final = f"""
import runpy, sys
sys.path.append({str(ROOT)!r})
runpy.run_module("tests.browser.admin_project", run_name="__main__", alter_sys=True)
"""

PASSWORD: t.Final = "of the test"


class AdminServer(DemoServer):
    """The project, with the users ``boss``, who may do anything, and ``alice``."""

    def command(self) -> list[str]:
        return [self.program, "-c", START, str(self.port)]


def main(port: int) -> None:
    settings.configure(
        SECRET_KEY="of the tests",
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "project.sqlite3"}},
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "django_sessionkit",
            "django_sessionkit.model_store",
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SESSION_ENGINE="django_sessionkit.engine",
        SESSIONKIT={"STORE": "django:", "REMEMBER_DEVICES": True},
        STATIC_URL="/static/",
        USE_TZ=True,
    )
    django.setup()

    import waitress  # type: ignore[import-untyped]
    from django.contrib.auth.models import User
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from tests.django import admin_site

    settings.MIDDLEWARE = admin_site.MIDDLEWARE
    settings.TEMPLATES = admin_site.TEMPLATES
    settings.ROOT_URLCONF = admin_site.URLs
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("boss", password=PASSWORD)
    User.objects.create_user("alice")
    waitress.serve(StaticFilesHandler(get_wsgi_application()), host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(int(sys.argv[-1]))
