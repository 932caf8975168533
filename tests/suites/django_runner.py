"""Django's test runner, but for what cannot apply to us. That must fail, or it is not listed."""

from __future__ import annotations

import os
import typing as t
import unittest

from django.contrib.sessions import middleware as django_middleware
from django.test.runner import DiscoverRunner
from django_not_applicable import ENGINES  # type: ignore[import-not-found]
from django_not_applicable import NOT_APPLICABLE

OURS = "ours"


class Runner(DiscoverRunner):
    """Puts our middleware in the place of Django's, wherever a test names it, if asked to."""

    def __init__(self, **options: t.Any) -> None:
        super().__init__(**options)
        self.middleware = os.environ["SESSIONKIT_SUITE_MIDDLEWARE"]

        if self.middleware == OURS:
            from django_sessionkit.middleware import SessionMiddleware

            django_middleware.SessionMiddleware = SessionMiddleware  # type: ignore[misc]

    def load_tests_for_label(self, label: str, discover_kwargs: t.Any) -> unittest.TestSuite:
        suite = super().load_tests_for_label(label, discover_kwargs)
        exceptions = NOT_APPLICABLE[self.middleware]
        kept = unittest.TestSuite()

        for case in _cases(suite):
            if case.id().rpartition(".")[0] in ENGINES:
                continue

            if case.id() in exceptions:
                case.__unittest_expecting_failure__ = True  # type: ignore[attr-defined]

            kept.addTest(case)

        return kept


def _cases(suite: t.Any) -> t.Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _cases(item)
        else:
            yield item
