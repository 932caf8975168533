"""What Django's tests ask of each of its own engines, asked of ours."""

from __future__ import annotations

import os

from django.test import SimpleTestCase
from django.test import TestCase
from sessions_tests.tests import SessionTestsMixin  # type: ignore[import-not-found]

from django_sessionkit.engine import SessionStore

IN_DATABASE = os.environ["SESSIONKIT_SUITE_STORE"] == "django:"


class EngineTests(SessionTestsMixin, TestCase if IN_DATABASE else SimpleTestCase):  # type: ignore[misc]
    backend = SessionStore
