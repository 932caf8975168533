"""What one route wants of its session: that it is left to age, or what an outage means."""

from __future__ import annotations

import collections.abc as cabc
import functools
import inspect
import typing as t

from .current import current_session
from .policy import Outage
from .policy import checked_outage
from .session import Session

P = t.ParamSpec("P")
R = t.TypeVar("R")

#: Gets the arguments of a view and returns its request's session.
Find = cabc.Callable[..., t.Any]


class Passive:
    """A decorator: have requests to a view not extend the life of the session.

    See :attr:`sessionkit.Session.passive`.

    :param find: gets the arguments of a view and returns its request's session.
    """

    def __init__(self, find: Find) -> None:
        self._find = find

    def __call__(self, view: cabc.Callable[P, R]) -> cabc.Callable[P, R]:
        """Have requests to *view* not extend the life of the session."""
        return _marked(view, self._find, "passive", True)


class OutageMeans:
    """A decorator: say what an outage of the store means to a view, ``outage("unavailable")``.

    It holds in place of ``SessionPolicy.outage``. What reads the session before the view is called,
    such as a middleware, comes too early.

    :param find: gets the arguments of a view and returns its request's session.
    """

    def __init__(self, find: Find) -> None:
        self._find = find

    def __call__(
        self, meaning: Outage
    ) -> cabc.Callable[[cabc.Callable[P, R]], cabc.Callable[P, R]]:
        """Return a decorator for views to which an outage means this.

        :param meaning: ``"error"`` or ``"unavailable"``.
        :raises ConfigurationError: if it is neither.
        """
        checked = checked_outage(meaning)
        return lambda view: _marked(view, self._find, "outage", checked)


def _marked(view: cabc.Callable[P, R], find: Find, name: str, value: object) -> cabc.Callable[P, R]:
    if inspect.iscoroutinefunction(view):

        @functools.wraps(view)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> t.Any:
            setattr(find(*args, **kwargs), name, value)
            return await view(*args, **kwargs)

        return t.cast("cabc.Callable[P, R]", awaited)

    @functools.wraps(view)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        setattr(find(*args, **kwargs), name, value)
        return view(*args, **kwargs)

    return called


def _current(*_: object, **__: object) -> Session:
    return current_session()


#: For WSGI applications below ``SessionMiddleware``, and for what they call.
passive: Passive = Passive(_current)
outage: OutageMeans = OutageMeans(_current)
