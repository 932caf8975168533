"""Vary and Cache-Control: merged with what the application said, never weaker than needed."""

from __future__ import annotations

import pytest

from sessionkit import caching


@pytest.mark.parametrize(
    ("existing", "merged"),
    [
        (None, "Cookie"),
        ("", "Cookie"),
        ("Accept-Encoding", "Accept-Encoding, Cookie"),
        ("Accept-Encoding,Origin", "Accept-Encoding,Origin, Cookie"),
        ("cookie", "cookie"),
        ("Accept-Encoding, COOKIE", "Accept-Encoding, COOKIE"),
        ("*", "*"),
        ("Accept, *", "Accept, *"),
        ("X-Cookie", "X-Cookie, Cookie"),
    ],
)
def test_vary_names_cookie_once(existing: str | None, merged: str) -> None:
    assert caching.vary(existing) == merged
    assert caching.vary(merged) == merged


@pytest.mark.parametrize(
    ("existing", "merged"),
    [
        (None, "private"),
        ("", "private"),
        ("public, max-age=60", "public, max-age=60"),
        ("no-store", "no-store"),
    ],
)
def test_without_our_cookie_the_application_decides(existing: str | None, merged: str) -> None:
    assert caching.cache_control(existing, sets_cookie=False) == merged


@pytest.mark.parametrize(
    ("existing", "merged"),
    [
        (None, "private"),
        ("public", "private"),
        ("Public, S-MaxAge=60, max-age=5", "max-age=5, private"),
        ("s-maxage = 60", "private"),
        ("private, max-age=5", "private, max-age=5"),
        ("PRIVATE", "PRIVATE"),
        ("No-Store", "No-Store"),
        ("no-cache", "no-cache, private"),
        ("max-age=60,, ", "max-age=60, private"),
        ('private="X-Name"', 'private="X-Name", private'),
        ('no-cache="Set-Cookie"', 'no-cache="Set-Cookie", private'),
    ],
)
def test_an_answer_with_our_cookie_is_kept_from_shared_caches(
    existing: str | None, merged: str
) -> None:
    assert caching.cache_control(existing, sets_cookie=True) == merged
    assert caching.cache_control(merged, sets_cookie=True) == merged
