"""Waiting for a socket, in a way that gevent can replace."""

from __future__ import annotations

import math
import select
import typing as t

_HAS_POLL: t.Final = hasattr(select, "poll")


def is_ready(
    descriptor: int, seconds: float, *, reading: bool = True, writing: bool = False
) -> bool:
    """Say whether a socket can be read or written within so many seconds, or is closed.

    :raises ValueError: if the socket has been closed on this side.
    """
    if _HAS_POLL:  # select takes no descriptor above 1023
        poll = select.poll()
        events = (select.POLLIN if reading else 0) | (select.POLLOUT if writing else 0)
        poll.register(descriptor, events)
        return bool(poll.poll(math.ceil(seconds * 1000)))
    readers, writers = [descriptor] if reading else [], [descriptor] if writing else []
    return any(select.select(readers, writers, [], seconds))
