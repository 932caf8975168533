"""Server-side sessions for Django: ``SESSION_ENGINE = "django_sessionkit.engine"``."""

from __future__ import annotations

from .registry import get_manager as get_manager
from .store_url import StoreURL as StoreURL
