"""The application, for those who want its system checks: nothing else needs INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


class SessionkitConfig(AppConfig):
    """``INSTALLED_APPS = [..., "django_sessionkit"]`` adds the checks of the settings."""

    name: str = "django_sessionkit"
    label: str = "sessionkit"

    def ready(self) -> None:
        from . import logins
        from .checks import check_settings

        if settings.SESSION_ENGINE == "django_sessionkit.engine":
            logins.listen()

        checks.register(check_settings, checks.Tags.security)
