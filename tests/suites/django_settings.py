"""Settings under which Django runs its own tests on our sessions."""

from __future__ import annotations

import os
import sys

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3"},
    "other": {"ENGINE": "django.db.backends.sqlite3"},
}
SECRET_KEY = "of Django's own tests"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

SESSION_ENGINE = "django_sessionkit.engine"
SESSIONKIT = {"STORE": {"env": "SESSIONKIT_SUITE_STORE"}}

if os.environ["SESSIONKIT_SUITE_STORE"] == "django:":
    # runtests.py, which replaces INSTALLED_APPS with its own.
    sys.modules["__main__"].ALWAYS_INSTALLED_APPS.append("django_sessionkit.model_store")

TEST_RUNNER = "django_runner.Runner"
