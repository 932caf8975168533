"""The checklist for sessions inside of their cookie, signed and encrypted, in all three ways in.

What it asks of ids and of stores does not apply; what a cookie cannot do is said in docs/sealed.md.
"""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import SessionPolicy
from sessionkit.testing import FakeClock
from tests.security.sealed.support import SECRET
from tests.security.sealed.support import MakeSealed
from tests.security.sites import Site
from tests.security.sites import site_of


@pytest.fixture(params=[True, False], ids=["encrypted", "signed"])
def encrypted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def make_sealed(kind: str, encrypted: bool, clock: FakeClock) -> cabc.Iterator[MakeSealed]:
    """Make a site; further arguments are settings of the policy."""
    with contextlib.ExitStack() as stack:

        def make(*secrets: str, cookie: CookieOptions | None = None, **policy: t.Any) -> Site:
            manager = SealedSessionManager(
                secrets or [SECRET],
                encrypted=encrypted,
                policy=SessionPolicy(**policy),
                cookie=cookie,
                clock=clock,
            )
            return stack.enter_context(site_of(kind, manager))

        yield make


@pytest.fixture
def sealed_site(make_sealed: MakeSealed) -> Site:
    return make_sealed()
