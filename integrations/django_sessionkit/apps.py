"""The application, for those who want its system checks: nothing else needs INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class SessionkitConfig(AppConfig):
    """``INSTALLED_APPS = [..., "django_sessionkit"]`` adds the checks of the settings."""

    name: str = "django_sessionkit"
    label: str = "sessionkit"

    def ready(self) -> None:
        from .checks import check_settings

        checks.register(check_settings, checks.Tags.security)
