"""Store URLs: taken apart, without ever showing one, since it may hold a password."""

from __future__ import annotations

import collections.abc as cabc
import math
import typing as t
import urllib.parse

from sessionkit.errors import ConfigurationError

#: What turns the text of each parameter into its value, and raises ValueError if it cannot.
Kinds = cabc.Mapping[str, cabc.Callable[[str], t.Any]]


def split_url(url: str) -> urllib.parse.SplitResult:
    """Take *url* apart."""
    parts = _parts(url)
    if parts is None:
        raise ConfigurationError(
            "the store URL cannot be taken apart; characters such as / # ? @ : in a user name or "
            "password must be percent-encoded"
        )
    if parts.fragment:
        raise ConfigurationError("the store URL has a '#'; write it as %23")
    return parts


def _parts(url: str) -> urllib.parse.SplitResult | None:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError:
        return None  # its text may quote a part of the password: no error is to have it as context
    return parts


def parameters(query: str, kinds: Kinds) -> tuple[dict[str, t.Any], list[tuple[str, str]]]:
    """Return the parameters in *query* that are in *kinds*, as values; and the others, as text."""
    ours: dict[str, t.Any] = {}
    others: list[tuple[str, str]] = []
    for name, text in urllib.parse.parse_qsl(query, keep_blank_values=True):
        if name not in kinds:
            others.append((name, text))
        elif name in ours:
            raise ConfigurationError(f"{name!r} is twice in the store URL")
        else:
            try:
                ours[name] = value = kinds[name](text)
                if isinstance(value, float) and not math.isfinite(value):
                    raise ValueError(text)
            except ValueError:
                raise ConfigurationError(f"{name!r} in the store URL cannot be {text!r}") from None
    return ours, others


def only_parameters(query: str, kinds: Kinds) -> dict[str, t.Any]:
    """Return the parameters in *query*, all of which must be in *kinds*, as values."""
    ours, others = parameters(query, kinds)
    for name, _ in others:
        raise unknown_parameter(name, kinds)
    return ours


def unknown_parameter(name: str, known: cabc.Iterable[str]) -> ConfigurationError:
    """Return the error for a parameter that a store does not have."""
    return ConfigurationError(
        f"the store URL has the unknown parameter {name!r}; known are {', '.join(sorted(known))}"
    )


def boolean(text: str) -> bool:
    """Return what *text* says: yes or no, true or false, on or off, 1 or 0."""
    lowered = text.lower()
    if lowered in ("1", "yes", "true", "on"):
        return True
    if lowered in ("0", "no", "false", "off"):
        return False
    raise ValueError(text)


def integer_or_none(text: str) -> int | None:
    """Return the number in *text*, or None if it is ``none``."""
    return None if text.lower() == "none" else int(text)
