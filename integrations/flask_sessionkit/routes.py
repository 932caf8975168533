"""Decorators for Flask's views."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import flask

from sessionkit.policy import Outage
from sessionkit.routes import RouteDecorators

_decorators = RouteDecorators(lambda *_, **__: flask.session)

P = t.ParamSpec("P")
R = t.TypeVar("R")


def passive(view: cabc.Callable[P, R]) -> cabc.Callable[P, R]:
    """Have requests to *view* not extend the life of the session."""
    return _decorators.passive(view)


def outage(meaning: Outage) -> cabc.Callable[[cabc.Callable[P, R]], cabc.Callable[P, R]]:
    """Say what an outage of the store means to a view, in place of ``SessionPolicy.outage``.

    :param meaning: ``"error"`` or ``"unavailable"``.
    :raises ConfigurationError: if it is neither.
    """
    return _decorators.outage(meaning)
