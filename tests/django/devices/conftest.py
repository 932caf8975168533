"""A project with the page."""

from __future__ import annotations

import collections.abc as cabc

import pytest
from django.test import override_settings

from django_sessionkit import get_manager
from sessionkit.base_manager import BaseManager
from sessionkit.testing.fixtures import session_clock as session_clock  # noqa: PLC0414
from tests.django.devices.support import TEMPLATES
from tests.django.devices.support import WITHOUT_USERS
from tests.django.devices.support import URLs
from tests.spies import Spy


@pytest.fixture(autouse=True)
def project() -> cabc.Generator[None, None, None]:
    """A project without users, whose own views bind sessions."""
    with override_settings(ROOT_URLCONF=URLs, TEMPLATES=TEMPLATES, MIDDLEWARE=WITHOUT_USERS):
        yield


@pytest.fixture
def manager(spy: Spy) -> BaseManager:
    return get_manager()
