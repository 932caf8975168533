"""Sessions in the project's database keep every promise."""

from __future__ import annotations

from tests.promises.django_database import InDjangosDatabase


class TestPromises(InDjangosDatabase):
    pass
