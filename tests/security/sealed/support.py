"""What the attacks on sealed sessions share."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from sessionkit import keys
from tests.security.sites import Jar
from tests.security.sites import Site

SECRET = keys.new_key()
OLD = keys.new_key()
MakeSealed = cabc.Callable[..., Site]


def logged_in(site: Site) -> Jar:
    jar = site.jar()
    assert jar.get("/login").body == "hello alice"
    assert jar.value is not None
    return jar


def names(answer: t.Any) -> set[str]:
    """The attributes of the only cookie."""
    return {part.partition("=")[0] for part in (answer.set_cookie or "").split("; ")[1:]}
