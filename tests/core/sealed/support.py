"""What the tests of sealed sessions share."""

from __future__ import annotations

import collections.abc as cabc

from sessionkit import SealedSessionManager
from sessionkit import keys

SECRET = keys.new_key()
MakeSealed = cabc.Callable[..., SealedSessionManager]
