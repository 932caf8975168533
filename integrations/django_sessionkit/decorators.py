"""Decorators for Django's views; for classes with Django's ``method_decorator``."""

from __future__ import annotations

from sessionkit.routes import RouteDecorators

_decorators = RouteDecorators(lambda request, *_, **__: request.session)

passive = _decorators.passive
outage = _decorators.outage
