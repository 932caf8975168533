"""How the sites are configured: with variables, as a server's processes get them."""

from __future__ import annotations

import os
import typing as t

#: The URL of the store.
STORE: t.Final = os.environ.get("SITE_STORE", "memory:")

SECRETS: t.Final = ["a secret of the sites, long enough to be one"]

COOKIE: t.Final = "sid"

#: Whether Django has its own session middleware in place of ours.
IS_STOCK: t.Final = os.environ.get("SITE_MIDDLEWARE") == "stock"

#: Whether Django keeps CSRF tokens in the session in place of a cookie.
CSRF_IN_SESSION: t.Final = os.environ.get("SITE_CSRF") == "session"

#: Whether the store is used when the site is imported, so before a fork that comes later.
IS_WARM: t.Final = os.environ.get("SITE_WARM") == "1"
