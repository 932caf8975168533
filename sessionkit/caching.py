"""What an answer that used the session says to shared caches. Pure: header values in and out."""

from __future__ import annotations


def vary(existing: str | None, name: str = "Cookie") -> str:
    """Return the ``Vary`` header with *name* in it.

    >>> vary("Accept-Encoding")
    'Accept-Encoding, Cookie'
    >>> vary("cookie")
    'cookie'
    """
    if not existing:
        return name

    names = {part.strip().lower() for part in existing.split(",")}
    return existing if names & {"*", name.lower()} else f"{existing}, {name}"


def cache_control(existing: str | None, *, sets_cookie: bool) -> str:
    """Return the ``Cache-Control`` header of an answer that used the session.

    What the application chose stays, except that an answer with our cookie may not be public.

    >>> cache_control(None, sets_cookie=False)
    'private'
    >>> cache_control("public, max-age=60", sets_cookie=True)
    'max-age=60, private'
    >>> cache_control("no-store", sets_cookie=True)
    'no-store'
    """
    if not existing:
        return "private"

    if not sets_cookie:
        return existing

    directives = [part.strip() for part in existing.split(",") if part.strip()]
    names = [part.partition("=")[0].strip().lower() for part in directives]
    kept = [
        directive
        for directive, name in zip(directives, names, strict=True)
        if name not in ("public", "s-maxage")
    ]

    # With arguments, private="X-Name" speaks of those headers alone.
    if {"no-store", "private"}.isdisjoint(directive.lower() for directive in kept):
        kept.append("private")

    return ", ".join(kept)
