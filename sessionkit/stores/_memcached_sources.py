"""What the memcached store can be made from: a URL, or ready clients of pymemcache."""

from __future__ import annotations

import collections.abc as cabc
import copy
import re
import typing as t
import urllib.parse

import pymemcache  # type: ignore[import-untyped]
from pymemcache.client.retrying import RetryingClient  # type: ignore[import-untyped]

from sessionkit.errors import ConfigurationError

_PORT = 11211

_URL = re.compile(
    r"memcached:(?://(?:(?P<login>[^/?#]*)@)?(?P<servers>[^/?#@]*))?(?P<path>/[^?#]*)?",
    re.IGNORECASE,
)
_SERVER = re.compile(
    r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]+))(?::(?P<port>[0-9]{1,5}))?"
)

Address = tuple[str, int] | str
Login = tuple[str, str] | None


def templates_of(
    source: object, *, connect_timeout: float | None, timeout: float | None
) -> tuple[list[t.Any], Login]:
    """Return a client for each server, never to be connected itself, and the login, if any."""
    if isinstance(source, str):
        addresses, login = parse_url(source)
        templates = [pymemcache.Client(address) for address in addresses]
    else:
        login = None
        several: cabc.Sequence[object] = source if isinstance(source, (list, tuple)) else [source]
        templates = [_copy(one) for one in several]
    for template in templates:
        template.no_delay = True
        for name, given in (("connect_timeout", connect_timeout), ("timeout", timeout)):
            if given is not None or getattr(template, name) is None:
                setattr(template, name, 1.0 if given is None else given)
    return templates, login


def parse_url(url: str) -> tuple[list[Address], Login]:
    """Return the addresses of the servers, and user name and password."""
    if "#" in url:
        raise ConfigurationError("the store URL has a '#'; write it as %23")
    match = _URL.fullmatch(url)
    if match is None:
        raise ConfigurationError(
            "not a memcached URL such as memcached://host:11211,host2:11211 or "
            "memcached:///run/memcached.sock; its parameters are for open_store"
        )
    servers, path = match["servers"] or "", match["path"] or "/"
    if servers and path != "/":
        raise ConfigurationError("a memcached URL has hosts, or the path of a socket, not both")
    addresses: list[Address] = []
    if path != "/":
        addresses.append(urllib.parse.unquote(path))
    else:
        addresses.extend(_address(server) for server in servers.split(","))
    return addresses, None if match["login"] is None else _login(match["login"])


def _address(server: str) -> tuple[str, int]:
    match = _SERVER.fullmatch(server)
    if match is None or int(match["port"] or _PORT) not in range(1, 65536):
        # Not shown: what is not escaped as it should be may be a password.
        raise ConfigurationError(
            "a server in a memcached URL is written as host:11211 or [::1]:11211, and several have "
            "commas between them"
        )
    return match["address"] or match["name"], int(match["port"] or _PORT)


def _login(text: str) -> Login:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise ConfigurationError("a memcached URL has both a user name and a password, or neither")
    return urllib.parse.unquote(user), urllib.parse.unquote(password)


def _copy(source: object) -> t.Any:
    """Return a client with the settings of *source*."""
    if isinstance(source, pymemcache.Client):
        client = copy.copy(t.cast(t.Any, source))
        client.sock = None
        return client
    if isinstance(source, pymemcache.PooledClient):
        pooled: t.Any = source
        return pooled.client_class(
            pooled.server,
            connect_timeout=pooled.connect_timeout,
            timeout=pooled.timeout,
            socket_module=pooled.socket_module,
            socket_keepalive=pooled.socket_keepalive,
            key_prefix=pooled.key_prefix,
            tls_context=pooled.tls_context,
        )
    if isinstance(source, pymemcache.HashClient):
        raise ConfigurationError(
            "MemcachedStore takes no HashClient: when a server does not answer, it asks another "
            "one, which knows none of its sessions, and what was ended meanwhile comes back with "
            "it. Give the store a list of Client objects, one for each server"
        )
    if isinstance(source, RetryingClient):
        raise ConfigurationError(
            "MemcachedStore takes no RetryingClient: a write that is sent twice may be made twice. "
            "Give the store the client inside it"
        )
    raise ConfigurationError(
        "MemcachedStore needs a URL such as memcached://host:11211, or a Client or PooledClient of "
        f"pymemcache or a list of them, not {type(source).__name__}"
    )
