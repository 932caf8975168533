"""The application that has the table, for those who want sessions in their own database."""

from __future__ import annotations

import typing as t

from django.apps import AppConfig
from django.core import checks


class ModelStoreConfig(AppConfig):
    """``INSTALLED_APPS = [..., "django_sessionkit.model_store"]`` adds the table."""

    name: str = "django_sessionkit.model_store"
    label: str = "sessionkit_store"
    verbose_name: t.Any = "sessions"

    def ready(self) -> None:
        from django_sessionkit.checks import check_settings

        from .checks import check_database

        for check in (check_settings, check_database):
            checks.register(check, checks.Tags.security)
