"""What a list of somebody's sessions says about each."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import SessionInfo
from sessionkit import SessionManager
from sessionkit.devices import device_of
from sessionkit.devices import recognised
from sessionkit.errors import ConfigurationError
from sessionkit.stores.memory import MemoryStore

from .support import Browser

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def manager() -> SessionManager:
    return SessionManager(MemoryStore())


@pytest.fixture
def browser(manager: SessionManager) -> Browser:
    return Browser(manager)


def only(manager: SessionManager) -> SessionInfo:
    (info,) = manager.sessions_of("ann")
    return info


def test_the_session_that_asks_is_marked(manager: SessionManager) -> None:
    browsers = [Browser(manager) for _ in range(3)]
    for browser in browsers:
        browser.log_in("ann")

    asking = browsers[1].open()
    current = [
        info.public_id for info in manager.sessions_of("ann", current=asking) if info.is_current
    ]

    assert current == [asking.public_id]
    assert not any(info.is_current for info in manager.sessions_of("ann"))


def test_an_unknown_owner_has_no_sessions(manager: SessionManager) -> None:
    assert manager.sessions_of("nobody") == []
    assert manager.revoke("nobody", "x") is False
    assert manager.revoke_all("nobody") == 0


def test_a_bound_session_tells_its_device(manager: SessionManager, browser: Browser) -> None:
    environ = {"REMOTE_ADDR": "2001:db8::1", "HTTP_USER_AGENT": FIREFOX}
    browser.visit(lambda session: session.bind("ann", label="Work", **device_of(environ)))

    info = only(manager)

    assert (info.label, info.address, info.user_agent) == ("Work", "2001:db8::1", FIREFOX)
    assert (info.browser, info.system) == ("Firefox", "Linux")
    assert info.created == info.seen == browser.open().created_at


def test_without_a_device_there_is_nothing_to_tell(
    manager: SessionManager, browser: Browser
) -> None:
    browser.visit(lambda session: session.bind("ann", label=None, **device_of({})))
    info = only(manager)
    assert info.meta == {}
    assert [info.label, info.address, info.user_agent, info.browser, info.system] == [None] * 5


def test_what_is_of_another_type_is_not_shown(manager: SessionManager, browser: Browser) -> None:
    browser.visit(lambda session: session.bind("ann"))
    other: dict[str, t.Any] = {"label": 1, "user_agent": ["x"]}
    info = only(manager)._replace(meta=other)
    assert (info.label, info.user_agent, info.browser) == (None, None, None)


@pytest.mark.parametrize(("name", "limit"), [("label", 100), ("address", 64), ("user_agent", 256)])
def test_what_is_long_is_cut(
    manager: SessionManager, browser: Browser, name: str, limit: int
) -> None:
    texts: dict[str, t.Any] = {name: "x" * 10_000}
    browser.visit(lambda session: session.bind("ann", **texts))
    assert only(manager).meta == {name: "x" * limit}


@pytest.mark.parametrize(
    "label",
    ["Büro", "工作電腦", "حاسوب العمل", "می‌خواهم", "क्‍ष", "👩‍💻 desk", "<b>&amp;</b>", "עבודה"],
)
def test_a_label_may_be_in_any_alphabet(
    manager: SessionManager, browser: Browser, label: str
) -> None:
    browser.visit(lambda session: session.bind("ann", label=label))
    assert only(manager).label == label


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\0b\x1b[31mc\x7fd\x9be", "ab[31mcde"),
        ("  a\r\nSet-Cookie:\tb\u2028c\x85d ", "a Set-Cookie: b c d"),
        ("phone\u202egnp.exe\u2066", "phonegnp.exe"),
        ("half\ud83d", "half"),
        (" \0\n", None),
        ("", None),
    ],
)
def test_control_characters_are_removed(
    manager: SessionManager, browser: Browser, given: str, kept: str | None
) -> None:
    browser.visit(lambda session: session.bind("ann", label=given))
    assert only(manager).label == kept


def test_what_is_no_text_is_refused(browser: Browser) -> None:
    session = browser.open()
    wrong: t.Any = 1
    with pytest.raises(ConfigurationError, match="label must be text, not int"):
        session.bind("ann", label=wrong)
    with pytest.raises(ConfigurationError, match="address must be text, not int"):
        session.describe(address=wrong)
    assert session.owner is None


def test_a_session_can_be_named_later_under_the_same_id(
    manager: SessionManager, browser: Browser
) -> None:
    browser.visit(lambda session: session.bind("ann", address="192.0.2.1", tries=1))
    before = browser.value

    browser.visit(lambda session: session.describe(label="Work", tries=2))

    assert browser.value == before
    assert only(manager).meta == {"address": "192.0.2.1", "label": "Work", "tries": 2}
    assert browser.open().meta == only(manager).meta


def test_a_login_forgets_the_device_of_the_login_before(
    manager: SessionManager, browser: Browser
) -> None:
    browser.visit(lambda session: session.bind("ann", label="Work"))
    browser.visit(lambda session: session.bind("ann"))
    assert only(manager).meta == {}


@pytest.mark.parametrize(
    ("user_agent", "names"),
    [
        (FIREFOX, ("Firefox", "Linux")),
        (CHROME, ("Chrome", "Windows")),
        (CHROME + " Edg/140.0.0.0", ("Edge", "Windows")),
        (CHROME + " OPR/120.0.0.0", ("Opera", "Windows")),
        (SAFARI, ("Safari", "iPhone")),
        ("curl/8.14.1", (None, None)),
        ("<script>alert(1)</script>", (None, None)),
        ("Version/" * 5000, (None, None)),
    ],
)
def test_known_user_agents_have_names(
    user_agent: str, names: tuple[str | None, str | None]
) -> None:
    assert recognised(user_agent) == names
