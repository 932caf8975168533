"""What applications must agree on to share their sessions."""

from __future__ import annotations

import typing as t

from sessionkit import SessionPolicy
from sessionkit import Store


class Shared(t.NamedTuple):
    """Given to all three applications."""

    store: Store

    #: Signs the cookie, newest first. Yours come from the environment, not from the source.
    secrets: tuple[str, ...] = ("only for the demo",)

    #: Browsers send cookies to all ports: a name of its own keeps the demo apart from others.
    cookie: str = "sessionkit-demo"

    #: Names what Flask and Django keep in sessions, so that it is treated the same everywhere.
    policy: SessionPolicy = SessionPolicy(
        queues=("_flashes",), form_tokens=("csrf_token", "_csrftoken")
    )
