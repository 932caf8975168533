"""Decorators for Flask's views."""

from __future__ import annotations

import flask

from sessionkit.routes import RouteDecorators

_decorators = RouteDecorators(lambda *_, **__: flask.session)

passive = _decorators.passive
outage = _decorators.outage
