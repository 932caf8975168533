"""Sessions in one of the project's own databases: ``SESSIONKIT = {"STORE": "django:"}``.

Add ``django_sessionkit.model_store`` to ``INSTALLED_APPS`` and run ``manage.py migrate``.
"""

from __future__ import annotations

from .store import ModelStore as ModelStore
