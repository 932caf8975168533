"""The session cookie: its options, how it is found in a request and written into an answer."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import functools
import re
import typing as t

from .errors import ConfigurationError

#: Browsers cut longer lifetimes (RFC 6265bis section 5.5).
MAX_AGE_LIMIT = 400 * 24 * 60 * 60

#: How many cookies of our name are looked at in one request.
CANDIDATES = 4

_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII).fullmatch
_attribute = re.compile(r"[\x20-\x3a\x3c-\x7e]{1,1023}", re.ASCII).fullmatch


class Set(t.NamedTuple):
    """The answer sets the session cookie.

    :param value: what the browser sends back.
    :param max_age: seconds; None: until the browser is closed.
    """

    value: str
    max_age: int | None

    def __repr__(self) -> str:
        return f"Set(max_age={self.max_age})"


@dataclasses.dataclass(frozen=True)
class Delete:
    """The answer deletes the session cookie."""


#: What a commit tells an adapter to do. None: send nothing about the cookie.
Instruction = Set | Delete | None


def is_token(value: object) -> bool:
    """Say whether *value* is an HTTP token, such as the name of a cookie or of a header."""
    return _is(_token, value)


def _is(pattern: cabc.Callable[[str], object], value: object) -> bool:
    return isinstance(value, str) and bool(pattern(value))


@dataclasses.dataclass(frozen=True)
class CookieOptions:
    """Attributes of the session cookie.

    :param name: as it is sent, compared exactly.
    :param path: the cookie is sent for this path and below.
    :param domain: None: this host alone.
    :param secure: ``"auto"``: whenever the request is https, and always where the name's prefix,
        ``samesite="None"`` or ``partitioned`` demand it.
    :param httponly: hidden from JavaScript.
    :param samesite: ``"Lax"``, ``"Strict"``, ``"None"``, or None to send no attribute.
    :param partitioned: one cookie jar for each embedding site (CHIPS).
    :raises ConfigurationError: if options contradict each other or cannot be sent.

    >>> CookieOptions(name="__Host-sid").delete_header(https=True)
    '__Host-sid=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax'
    """

    name: str = "sid"
    path: str = "/"
    domain: str | None = None
    secure: bool | t.Literal["auto"] = "auto"
    httponly: bool = True
    samesite: t.Literal["Lax", "Strict", "None"] | None = "Lax"
    partitioned: bool = False

    def __post_init__(self) -> None:
        self._check_syntax()
        self._check_prefix()

        if self.secure is False and self._needs_secure:
            raise ConfigurationError(
                f"cookie {self.name!r}: secure=False contradicts its prefix, samesite='None' or "
                "partitioned=True; browsers would ignore the cookie"
            )

    def _check_syntax(self) -> None:
        # Browsers ignore a cookie whose name and value have more than 4096 characters.
        if not _is(_token, self.name) or len(self.name) > 255:
            raise ConfigurationError(
                f"cookie name {self.name!r} is not an HTTP token of at most 255 characters"
            )

        if not _is(_attribute, self.path) or self.path[0] != "/":
            raise ConfigurationError(
                f"cookie path {self.path!r} must be ASCII text beginning with '/'"
            )

        for option in ("path", "domain"):
            value = getattr(self, option)

            if value is not None and not _is(_attribute, value):
                raise ConfigurationError(
                    f"cookie {option} {value!r} must be ASCII text of less than 1024 characters "
                    "without ';' and control characters"
                )

        if self.secure != "auto" and type(self.secure) is not bool:
            raise ConfigurationError(f"cookie secure {self.secure!r} is not True, False or 'auto'")

        for option in ("httponly", "partitioned"):
            if type(getattr(self, option)) is not bool:
                raise ConfigurationError(f"cookie {option} must be True or False")

        if self.samesite not in ("Lax", "Strict", "None", None):
            raise ConfigurationError(
                f"cookie samesite {self.samesite!r} is not 'Lax', 'Strict', 'None' or None"
            )

    def _check_prefix(self) -> None:
        # RFC 6265bis section 4.1.3; browsers compare prefixes without regard to case.
        name = self.name.lower()

        if name.startswith(("__host-", "__host-http-")) and (self.domain or self.path != "/"):
            raise ConfigurationError(f"cookie {self.name!r} must have path='/' and no domain")

        if name.startswith(("__http-", "__host-http-")) and not self.httponly:
            raise ConfigurationError(f"cookie {self.name!r} must be httponly")

    @property
    def _needs_secure(self) -> bool:
        prefixes = ("__host-", "__secure-", "__http-")
        by_name = self.name.lower().startswith(prefixes)
        return by_name or self.samesite == "None" or self.partitioned

    def is_secure(self, https: bool) -> bool:
        """Say whether the cookie gets the attribute ``Secure`` in answer to such a request."""
        return self._needs_secure or (https if self.secure == "auto" else self.secure)

    @functools.cached_property
    def _attributes(self) -> dict[bool, str]:
        return {https: self._attributes_for(https) for https in (True, False)}

    def _attributes_for(self, https: bool) -> str:
        parts = [f"; Domain={self.domain}"] if self.domain else []
        parts += ["; Secure"] if self.is_secure(https) else []
        parts += ["; HttpOnly"] if self.httponly else []
        parts += [f"; SameSite={self.samesite}"] if self.samesite else []
        parts += ["; Partitioned"] if self.partitioned else []
        return "".join(parts)

    def set_header(self, instruction: Set, *, https: bool) -> str:
        """Return the value of the ``Set-Cookie`` header that sets the cookie."""
        max_age = "" if instruction.max_age is None else f"; Max-Age={instruction.max_age}"
        return (
            f"{self.name}={instruction.value}; Path={self.path}{max_age}{self._attributes[https]}"
        )

    def delete_header(self, *, https: bool) -> str:
        """Return the value of the ``Set-Cookie`` header that deletes the cookie.

        It repeats every attribute; otherwise browsers keep the cookie.
        """
        return f"{self.name}=; Path={self.path}; Max-Age=0{self._attributes[https]}"

    def header(self, instruction: Set | Delete, *, https: bool) -> str:
        """Return the value of the ``Set-Cookie`` header that carries out *instruction*."""
        if isinstance(instruction, Set):
            return self.set_header(instruction, https=https)

        return self.delete_header(https=https)

    def find(self, header: str) -> list[str]:
        """Return the values of our cookie in a ``Cookie`` header, the first four at most.

        All three ways in use this one function, so that they agree which of several wins.

        >>> CookieOptions().find('theme=dark; sid=one; sid="two"')
        ['one', 'two']
        """
        name = self.name

        if name not in header:
            return []

        values: list[str] = []

        for pair in header.split(";"):
            key, _, value = pair.partition("=")

            if key.strip(" \t") == name:
                values.append(value.strip(' \t"'))

                if len(values) == CANDIDATES:
                    break

        return values
