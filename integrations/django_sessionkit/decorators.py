"""Decorators for Django's views; for classes with Django's ``method_decorator``."""

from __future__ import annotations

import typing as t

from sessionkit.routes import OutageMeans
from sessionkit.routes import Passive


def _session(request: t.Any, *_: object, **__: object) -> t.Any:
    return request.session


passive: Passive = Passive(_session)
outage: OutageMeans = OutageMeans(_session)
