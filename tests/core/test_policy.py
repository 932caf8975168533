"""The policy: durations in any form, nonsense refused, and the times that follow."""

from __future__ import annotations

import datetime
import math
import typing as t

import pytest

from sessionkit import SessionPolicy
from sessionkit.cookie import MAX_AGE_LIMIT
from sessionkit.errors import ConfigurationError
from sessionkit.payload import Header
from sessionkit.policy import NEVER
from tests.core.support import DAY
from tests.core.support import NOW

HEADER = Header("p" * 22, NOW, NOW, NOW)

DURATIONS = (
    "idle_timeout",
    "absolute_timeout",
    "ownerless_timeout",
    "commit_timeout",
    "stub_timeout",
    "breaker_pause",
)


def test_defaults() -> None:
    policy = SessionPolicy()
    assert policy.idle_timeout == 14 * DAY
    assert policy.absolute_timeout == 90 * DAY
    assert policy.ownerless_timeout == DAY


@pytest.mark.parametrize("name", DURATIONS)
def test_every_duration_may_be_a_timedelta(name: str) -> None:
    policy = SessionPolicy(**{name: datetime.timedelta(minutes=2)})  # type: ignore[arg-type]
    assert getattr(policy, name) == 120.0
    assert type(getattr(policy, name)) is float


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("value", [0, -1, True, "60", math.nan, math.inf, NEVER, [60]])
def test_what_is_no_duration_is_refused(name: str, value: t.Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        SessionPolicy(**{name: value})


@pytest.mark.parametrize("name", ["commit_timeout", "stub_timeout", "breaker_pause"])
def test_some_durations_are_needed(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        SessionPolicy(**{name: None})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_payload", 0),
        ("max_payload", True),
        ("max_payload", 1.5),
        ("breaker_failures", 0),
        ("breaker_failures", "3"),
        ("form_tokens", "csrf_token"),
        ("queues", [1]),
        ("outage", "ignore"),
        ("transient", None),
    ],
)
def test_nonsense_is_refused_by_name(name: str, value: t.Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        SessionPolicy(**{name: value})


def test_lists_become_tuples() -> None:
    policy = SessionPolicy(form_tokens=["a"], queues=["b"])  # type: ignore[arg-type]
    assert (policy.form_tokens, policy.queues) == (("a",), ("b",))
    assert hash(policy) == hash(SessionPolicy(form_tokens=("a",), queues=("b",)))


@pytest.mark.parametrize(
    ("settings", "owner", "lifetime"),
    [
        ({}, "ann", 14 * DAY),
        ({}, None, DAY),
        ({"ownerless_timeout": None}, None, 14 * DAY),
        ({"idle_timeout": 60}, None, 60),
        ({"idle_timeout": 60, "absolute_timeout": 30}, "ann", 30),
        ({"idle_timeout": None}, "ann", 90 * DAY),
        ({"idle_timeout": None, "absolute_timeout": None}, "ann", NEVER - NOW),
    ],
)
def test_a_session_ends_by_the_first_limit(
    settings: dict[str, t.Any], owner: str | None, lifetime: float
) -> None:
    assert SessionPolicy(**settings).expires_at(HEADER, owner, NOW) == NOW + lifetime


def test_the_absolute_limit_counts_from_the_start() -> None:
    header = HEADER._replace(started_at=NOW - 80 * DAY)
    assert SessionPolicy().expires_at(header, "ann", NOW) == NOW + 10 * DAY


def test_a_session_may_have_limits_of_its_own_within_the_absolute_one() -> None:
    policy = SessionPolicy()
    for header, lifetime in [
        (HEADER._replace(idle=60.0), 60),
        (HEADER._replace(idle=100 * DAY), 90 * DAY),
        (HEADER._replace(until=NOW + 60), 60),
        (HEADER._replace(until=NOW + 30 * DAY), 30 * DAY),
        (HEADER._replace(until=NOW + 100 * DAY), 90 * DAY),
    ]:
        assert policy.expires_at(header, None, NOW) == NOW + lifetime


def test_the_browser_keeps_the_cookie_as_long_as_the_session_may_live() -> None:
    assert SessionPolicy().max_age(HEADER, NOW + 10.5) == 90 * DAY - 11
    assert SessionPolicy().max_age(HEADER, NOW + 91 * DAY) == 0
    assert SessionPolicy().max_age(HEADER._replace(until=NOW + 60), NOW) == 60


def test_no_cookie_is_promised_for_longer_than_browsers_allow() -> None:
    for limit in (None, 500 * DAY):
        assert SessionPolicy(absolute_timeout=limit).max_age(HEADER, NOW) == MAX_AGE_LIMIT


def test_a_transient_cookie_has_no_lifetime() -> None:
    assert SessionPolicy(transient=True).max_age(HEADER, NOW) is None
    assert SessionPolicy().max_age(HEADER._replace(transient=True), NOW) is None
    assert SessionPolicy(transient=True).max_age(HEADER._replace(transient=False), NOW) == 90 * DAY
