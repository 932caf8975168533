"""Django's own session engines."""

from __future__ import annotations

import typing as t

from benchmarks import frameworks
from benchmarks.scenarios import PlainFace
from benchmarks.site import Site


class _Face(frameworks.DjangoFace, PlainFace):
    def changed(self, session: t.Any, /) -> object:
        session.modified = True
        return None

    def renew(self, session: t.Any, /) -> object:
        return session.cycle_key()

    def end(self, session: t.Any, /) -> object:
        return session.flush()


class _Django(Site):
    def roll(self, rolling: bool) -> None:
        from django.conf import settings

        settings.SESSION_SAVE_EVERY_REQUEST = rolling


def engine(name: str, **settings: t.Any) -> Site:
    """Return a project with the engine of that name."""
    app = frameworks.django(
        _Face(),
        middleware="django.contrib.sessions.middleware.SessionMiddleware",
        apps=("django.contrib.sessions",),
        SESSION_ENGINE=f"django.contrib.sessions.backends.{name}",
        **settings,
    )
    if "DATABASES" in settings:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    return _Django(app)
