"""Where the lines go, and what is no trace."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import gc
import logging
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit import signals
from sessionkit.base_manager import BaseManager
from sessionkit.errors import ConfigurationError
from tests.core.support import Browser
from tests.core.support import FullStore


def test_a_function_that_raises_is_logged_and_changes_nothing(
    store: FullStore, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(line: str) -> None:
        raise ValueError(line)

    browser = Browser(SessionManager(store, trace=fail))
    browser.put(a=1)
    assert browser.see() == {"a": 1}
    assert caplog.messages == ["the trace raised ValueError"] * 2


@contextlib.contextmanager
def bare_logging() -> cabc.Iterator[logging.Logger]:
    """Let nobody have set up logging."""
    root, logger = logging.getLogger(), logging.getLogger("sessionkit.trace")
    handlers = root.handlers[:]
    root.handlers.clear()

    try:
        yield logger
    finally:
        root.handlers[:] = handlers
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)


def test_true_shows_the_lines_without_any_set_up(
    store: FullStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with bare_logging() as logger:
        Browser(SessionManager(store, trace=True)).put(a=1)
        Browser(SessionManager(store, trace=True)).put(a=1)
        assert len(logger.handlers) == 1

    assert capsys.readouterr().err.count("session sid: new, cookie not sent; ") == 2


def test_a_logger_that_is_set_up_is_left_as_it_is(
    store: FullStore, caplog: pytest.LogCaptureFixture
) -> None:
    with bare_logging() as logger:
        logger.addHandler(caplog.handler)
        logger.setLevel(logging.INFO)
        Browser(SessionManager(store, trace=True)).put(a=1)
        assert (logger.handlers, logger.level) == ([caplog.handler], logging.INFO)

    assert caplog.messages == []


@pytest.mark.parametrize("trace", ["yes", 1, logging.getLogger("sessionkit")])
def test_what_cannot_be_a_trace_is_refused(store: FullStore, trace: t.Any) -> None:
    with pytest.raises(ConfigurationError, match="trace must be True"):
        SessionManager(store, trace=trace)


@pytest.mark.parametrize("trace", [None, False])
def test_off_nothing_stands_around_a_request(store: FullStore, trace: bool | None) -> None:
    gc.collect()
    before = len(signals.saved.receivers)
    manager: BaseManager = SessionManager(store, trace=trace)
    assert "trace" not in type(manager._writer).__module__
    assert "trace" not in manager.read.__module__
    assert len(signals.saved.receivers) == before


def test_a_manager_that_is_gone_listens_no_more(store: FullStore) -> None:
    gc.collect()
    before = len(signals.saved.receivers)
    manager = SessionManager(store, trace=print)
    assert len(signals.saved.receivers) == before + 1
    del manager
    gc.collect()
    assert len(signals.saved.receivers) == before
