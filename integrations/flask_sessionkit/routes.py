"""Decorators for Flask's views."""

from __future__ import annotations

import typing as t

import flask

from sessionkit.routes import OutageMeans
from sessionkit.routes import Passive


def _session(*_: object, **__: object) -> t.Any:
    return flask.session


passive: Passive = Passive(_session)
outage: OutageMeans = OutageMeans(_session)
