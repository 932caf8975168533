"""System checks of the settings. Nothing is connected to."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from django.conf import global_settings
from django.conf import settings
from django.core import checks

from sessionkit.errors import ConfigurationError

from . import conf
from .registry import open_url
from .registry import refuse_application_database
from .registry import refuse_limit
from .registry import sealed_manager
from .store_url import StoreURL


def check_settings(**_: t.Any) -> list[checks.CheckMessage]:
    """Check what can be checked without the store."""
    try:
        conf.section("STORE")
    except ConfigurationError as error:
        return [checks.Error(str(error), id="sessionkit.E001")]

    wrong_parts = [*_check_parts()]

    return [
        *wrong_parts,
        *_check_store(limit=not wrong_parts),
        *_check_password(),
        *_check_serializer(),
    ]


def _check_parts() -> cabc.Iterator[checks.CheckMessage]:
    for part in (
        conf.policy,
        conf.cookie,
        conf.header,
        conf.secrets,
        conf.types,
        conf.trace,
        conf.remember_devices,
    ):
        try:
            part()
        except ConfigurationError as error:
            yield checks.Error(str(error), id="sessionkit.E001")


def _check_store(*, limit: bool) -> cabc.Iterator[checks.CheckMessage]:
    try:
        if sealed_manager() is not None:
            return

        made_from = conf.store()

        # A callable may do anything; it is called when the first session is needed.
        if isinstance(made_from, str):
            store = open_url(made_from)
            refuse_application_database(store)

            if limit:
                refuse_limit(store)
    except ConfigurationError as error:
        yield checks.Error(str(error), id="sessionkit.E002")


def _check_password() -> cabc.Iterator[checks.CheckMessage]:
    given = conf.section("STORE")

    if type(given) is str and StoreURL(given).has_password:
        yield checks.Warning(
            "SESSIONKIT['STORE'] holds a password that Django's error pages and mails would show.",
            hint=(
                "Write django_sessionkit.StoreURL(url), {'env': 'NAME_OF_A_VARIABLE'}, or the "
                "dotted path of a function that returns the store."
            ),
            id="sessionkit.W001",
        )


def _check_serializer() -> cabc.Iterator[checks.CheckMessage]:
    if settings.SESSION_SERIALIZER != global_settings.SESSION_SERIALIZER:
        yield checks.Warning(
            "SESSION_SERIALIZER is not used by SESSION_ENGINE 'django_sessionkit.engine'.",
            hint="It keeps more types than JSON by itself; name others in SESSIONKIT['TYPES'].",
            id="sessionkit.W002",
        )
