"""The cookie: safe by default, refused when browsers would refuse it, found exactly."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import CookieOptions
from sessionkit.cookie import CANDIDATES
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError

VALUE = Set("id", 60)


def attributes(header: str) -> list[str]:
    return header.split("; ")[1:]


def test_defaults_over_https() -> None:
    header = CookieOptions().set_header(VALUE, https=True)
    assert header == "sid=id; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"


def test_defaults_over_http_lack_only_secure() -> None:
    header = CookieOptions().set_header(VALUE, https=False)
    assert header == "sid=id; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"


def test_a_cookie_of_the_browser_session_has_no_lifetime() -> None:
    header = CookieOptions().set_header(Set("id", None), https=True)
    assert "Max-Age" not in header
    assert "Expires" not in header


@pytest.mark.parametrize("https", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        CookieOptions(),
        CookieOptions("__Host-sid"),
        CookieOptions("__Secure-sid", path="/app", domain="example.com"),
        CookieOptions(samesite="None", partitioned=True),
        CookieOptions(httponly=False, samesite=None, secure=True, domain="example.com"),
    ],
)
def test_deleting_repeats_every_attribute(options: CookieOptions, https: bool) -> None:
    set_header = options.header(VALUE, https=https)
    delete_header = options.header(Delete(), https=https)
    assert attributes(delete_header) == attributes(set_header.replace("Max-Age=60", "Max-Age=0"))
    assert delete_header.startswith(f"{options.name}=; ")


@pytest.mark.parametrize(
    "options",
    [
        CookieOptions("__Host-sid"),
        CookieOptions("__host-sid"),
        CookieOptions("__SECURE-sid"),
        CookieOptions("__Http-sid"),
        CookieOptions("__Host-Http-sid"),
        CookieOptions(samesite="None"),
        CookieOptions(partitioned=True),
        CookieOptions(secure=True),
    ],
)
def test_secure_where_browsers_demand_it(options: CookieOptions) -> None:
    assert "Secure" in attributes(options.set_header(VALUE, https=False))
    assert options.is_secure(https=False)


def test_secure_can_be_switched_off() -> None:
    assert "Secure" not in CookieOptions(secure=False).set_header(VALUE, https=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "__Host-sid", "path": "/app"},
        {"name": "__host-sid", "domain": "example.com"},
        {"name": "__Host-sid", "secure": False},
        {"name": "__secure-sid", "secure": False},
        {"name": "__Http-sid", "httponly": False},
        {"name": "__host-http-sid", "httponly": False},
        {"samesite": "None", "secure": False},
        {"partitioned": True, "secure": False},
        {"samesite": "lax"},
        {"samesite": "none"},
        {"samesite": True},
        {"secure": "always"},
        {"secure": 1},
        {"secure": None},
        {"httponly": "no"},
        {"httponly": None},
        {"partitioned": 1},
    ],
)
def test_contradictions_and_typing_errors_are_refused(settings: dict[str, t.Any]) -> None:
    with pytest.raises(ConfigurationError, match="cookie"):
        CookieOptions(**settings)


@pytest.mark.parametrize(
    "name", ["", "a b", "a=b", "a;b", "a\r\nb", "sïd", "a,b", '"a"', "a\0", None, 1]
)
def test_a_name_must_be_a_token(name: t.Any) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        CookieOptions(name=name)


@pytest.mark.parametrize(
    "value", ["/a;b", "/a\r\nSet-Cookie: x=y", "/a\0", "/ä", "/" + "x" * 1023, 1]
)
def test_what_would_break_the_header_is_refused(value: t.Any) -> None:
    with pytest.raises(ConfigurationError, match="path"):
        CookieOptions(path=value)

    with pytest.raises(ConfigurationError, match="domain"):
        CookieOptions(domain=str(value) + "\n")


@pytest.mark.parametrize("path", ["", "app", None])
def test_a_path_begins_with_a_slash(path: t.Any) -> None:
    with pytest.raises(ConfigurationError, match="path"):
        CookieOptions(path=path)


def test_options_are_frozen_and_compare_by_value() -> None:
    with pytest.raises(AttributeError):
        CookieOptions().name = "other"  # type: ignore[misc]

    used = CookieOptions()
    used.set_header(VALUE, https=True)
    assert used == CookieOptions()
    assert len({used, CookieOptions()}) == 1


def test_an_instruction_does_not_show_its_value() -> None:
    assert repr(Set("secret-id", 60)) == "Set(max_age=60)"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        ("sid=a", ["a"]),
        ("theme=dark; sid=a", ["a"]),
        ("theme=dark;sid=a;x=y", ["a"]),
        ("theme=dark ;\tsid = a ; x=y", ["a"]),
        ('sid="a"', ["a"]),
        ("sid=a=b", ["a=b"]),
        ("sid", [""]),
        ("sid=", [""]),
        ("sid=a; sid=b", ["a", "b"]),
        ("SID=a; Sid=b", []),
        ("sid2=a; xsid=b; si=c", []),
        ("x=sid; y=sid=a", []),
        (";;;=;sid=a;", ["a"]),
        ("\xa0sid=a", []),
    ],
)
def test_our_cookie_is_found_by_its_exact_name(header: str, found: list[str]) -> None:
    assert CookieOptions().find(header) == found


def test_no_more_than_four_are_looked_at() -> None:
    header = "; ".join(f"sid={number}" for number in range(100))
    assert CookieOptions().find(header) == ["0", "1", "2", "3"]
    assert CANDIDATES == 4


@given(st.text(), st.sampled_from(["sid", "__Host-sid", "a"]))
def test_finding_never_raises(header: str, name: str) -> None:
    values = CookieOptions(name=name).find(header)
    assert len(values) <= CANDIDATES
    assert all(value in header for value in values)
