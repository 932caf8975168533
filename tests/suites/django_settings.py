"""Settings under which Django runs its own tests on our sessions."""

from __future__ import annotations

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
TEST_RUNNER = "django_runner.Runner"
