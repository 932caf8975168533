"""What Django's tests ask of each of its own engines, asked of ours."""

from __future__ import annotations

from django.test import SimpleTestCase
from sessions_tests.tests import SessionTestsMixin  # type: ignore[import-not-found]

from django_sessionkit.engine import SessionStore


class EngineTests(SessionTestsMixin, SimpleTestCase):  # type: ignore[misc]
    backend = SessionStore
