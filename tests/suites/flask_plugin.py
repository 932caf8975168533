"""A pytest plugin that gives every Flask application our sessions. Loaded into Flask's own tests.

``SESSIONKIT_SUITE_STORE`` is the store's URL, in which ``{number}`` is another one for each
application; ``SESSIONKIT_SUITE_EXCEPTIONS`` are the tests that cannot apply, with the reasons.
"""

from __future__ import annotations

import collections.abc as cabc
import itertools
import json
import os
import typing as t

import flask
import flask.sessions
import pytest

from flask_sessionkit import SessionKit

_exceptions: dict[str, str] = json.loads(os.environ["SESSIONKIT_SUITE_EXCEPTIONS"])
_url = os.environ["SESSIONKIT_SUITE_STORE"]
_numbers = itertools.count()
_original = flask.Flask.__init__


def _init(self: flask.Flask, *args: t.Any, **kwargs: t.Any) -> None:
    _original(self, *args, **kwargs)

    # Some tests bring an interface of their own.
    if type(self.session_interface) is flask.sessions.SecureCookieSessionInterface:
        self.config["SESSIONKIT_STORE"] = _url.replace("{number}", str(next(_numbers)))
        SessionKit(self)


flask.Flask.__init__ = _init  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: cabc.Sequence[pytest.Item]) -> None:
    found = {item.nodeid: item for item in items}

    for nodeid, reason in _exceptions.items():
        if nodeid not in found:
            raise pytest.UsageError(f"{nodeid} does not exist (any more)")

        # Run all the same, so that one that does pass is noticed.
        found[nodeid].add_marker(pytest.mark.xfail(reason=reason, strict=True))
