"""Redis URLs: parameters of ours in them, and several hosts, which no library takes apart."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from sessionkit.errors import ConfigurationError

from ._url import Kinds
from ._url import parameters
from ._url import split_url

#: Our parameters in a URL; the others are redis-py's.
_KINDS: Kinds = {
    "prefix": str,
    "margin": float,
    "connect_timeout": float,
    "timeout": float,
    "max_idle": int,
    "wait_replicas": int,
    "wait_timeout": float,
    "eviction": str,
}

_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]+))?")


def split_hosts(
    url: str, kind: str, port: int
) -> tuple[urllib.parse.SplitResult, list[tuple[str, int]]]:
    """Return *url* as one of redis-py, and the hosts in it.

    :param kind: what follows the plus sign in the scheme.
    :param port: which one is meant where there is none.
    """
    scheme, _, rest = url.partition("://")
    place, slash, path = re.split(r"([/?#]|$)", rest, maxsplit=1)
    login, at, listed = place.rpartition("@")
    hosts = [_HOST.fullmatch(host) for host in listed.split(",")]
    # One host, and no port, for the standard library; also for its opinion on the rest.
    parts = split_url(f"{scheme.removesuffix('+' + kind)}://{login}{at}localhost{slash}{path}")
    if not all(hosts) or "?" in login or "/" in login:
        raise ConfigurationError(
            f"a {scheme} URL holds one or several hosts, as in {scheme}://host:{port},host:{port}"
        )
    return parts, [
        (match["six"] or match["name"], int(match["port"] or port)) for match in hosts if match
    ]


def split_parameters(url: str) -> tuple[dict[str, t.Any], str]:
    """Return the parameters of a store in *url*, and the URL without them."""
    if "#" in url:
        raise ConfigurationError("the store URL has a '#'; write it as %23")
    place, _, query = url.partition("?")
    ours, others = parameters(query, _KINDS)
    return ours, f"{place}?{urllib.parse.urlencode(others)}"
