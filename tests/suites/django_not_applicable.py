"""The tests of Django that cannot apply to us, and why. Each of NOT_APPLICABLE must fail."""

from __future__ import annotations

import os

#: Not run: they test Django's own engines, by name.
ENGINES = {
    f"sessions_tests.tests.{name}"
    for name in (
        "DatabaseSessionTests",
        "DatabaseSessionWithTimeZoneTests",
        "CustomDatabaseSessionTests",
        "CacheDBSessionTests",
        "CacheDBSessionWithTimeZoneTests",
        "CacheSessionTests",
        "FileSessionTests",
        "FileSessionPathLibTests",
        "CookieSessionTests",
    )
}

_MIDDLEWARE = "sessions_tests.tests.SessionMiddlewareTests"
_OTHER_ENGINE = "sets SESSION_ENGINE to another engine, which our middleware refuses"
_UNKNOWN_ID = "an unknown id is not answered with a deletion, which could overtake a newer cookie"

_UNDER_BOTH = {
    f"{_MIDDLEWARE}.test_empty_session_saved": "reads Django's own Session model",
}

if os.environ["SESSIONKIT_SUITE_STORE"] != "django:":
    _UNDER_BOTH[
        "auth_tests.test_middleware.TestLoginRequiredMiddleware"
        ".test_protected_view_logged_in_performance"
    ] = "counts the query of Django's own engine, where we make none in its database"

_UNDER_OURS = {
    f"{_MIDDLEWARE}.test_session_delete_on_end": _UNKNOWN_ID,
    f"{_MIDDLEWARE}.test_session_delete_on_end_with_custom_domain_and_path": _UNKNOWN_ID,
    f"{_MIDDLEWARE}.test_save_every_request_with_non_empty_session_renews_session_cookie": (
        "every request extends the session's life, but a cookie is set only with a new id"
    ),
    f"{_MIDDLEWARE}.test_session_update_error_redirect": (
        "a late write is dropped, and its request is not answered 400"
    ),
    "test_client.tests.ClientTest.test_logout_cookie_sessions": _OTHER_ENGINE,
    "test_client.tests.ClientTest.test_sessions_app_is_not_installed": _OTHER_ENGINE,
    "test_client.tests.ClientTest.test_view_with_login_when_sessions_app_is_not_installed": (
        _OTHER_ENGINE
    ),
    "test_client_regress.tests.SessionEngineTests.test_login": _OTHER_ENGINE,
}

#: By middleware.
NOT_APPLICABLE = {"stock": _UNDER_BOTH, "ours": {**_UNDER_BOTH, **_UNDER_OURS}}
