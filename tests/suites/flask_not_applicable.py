"""The tests of Flask and its extensions that cannot apply to us, and why. Each must fail."""

from __future__ import annotations

_NO_SECRET_KEY = "the key of cookies that hold the session; ours hold an id and need none"
_ONLY_WHEN_NEW = "a cookie is set by the answer that made or renewed the session, not by a read"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "flask": {
        "tests/test_basic.py::test_missing_session": _NO_SECRET_KEY,
        "tests/test_basic.py::test_session_secret_key_fallbacks": _NO_SECRET_KEY,
        "tests/test_testing.py::test_session_transactions_no_null_sessions": _NO_SECRET_KEY,
        "tests/test_basic.py::test_session_cookie_setting": _ONLY_WHEN_NEW,
        "tests/test_basic.py::test_session_refresh_vary": (
            f"{_ONLY_WHEN_NEW}, and an answer that did not use the session varies with nothing"
        ),
        "tests/test_basic.py::test_session_using_samesite_attribute": (
            "the default is SameSite=Lax, and settings are read once"
        ),
        "tests/test_basic.py::test_session_expiration": (
            "the cookie says Max-Age, and lives until the absolute limit; the lifetime is idle time"
        ),
        "tests/test_basic.py::test_session_using_session_settings": (
            "its last step: only clear() ends a session, popping the last key keeps it"
        ),
    },
    "flask-login": {
        "tests/test_login.py::LoginTestCase::test_session_protection_strong_deletes_session": (
            "wants unrelated data to outlive the session's owner; here, as in Flask-Login's own "
            "documentation, strong protection ends the entire session"
        ),
    },
    "flask-wtf": {},
}
