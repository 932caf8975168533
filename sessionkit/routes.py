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


class RouteDecorators:
    """Decorators for views of one framework.

    :param find: gets the arguments of a view and returns its request's session.
    """

    def __init__(self, find: cabc.Callable[..., t.Any]) -> None:
        self._find = find

    def passive(self, view: cabc.Callable[P, R]) -> cabc.Callable[P, R]:
        """Have requests to *view* not extend the life of the session, see ``Session.passive``."""
        return self._marked(view, "passive", True)

    def outage(self, meaning: Outage) -> cabc.Callable[[cabc.Callable[P, R]], cabc.Callable[P, R]]:
        """Say what an outage of the store means to a view, in place of ``SessionPolicy.outage``.

        What reads the session before the view is called, such as a middleware, comes too early.

        :param meaning: ``"error"`` or ``"unavailable"``.
        :raises ConfigurationError: if it is neither.
        """
        checked = checked_outage(meaning)
        return lambda view: self._marked(view, "outage", checked)

    def _marked(self, view: cabc.Callable[P, R], name: str, value: object) -> cabc.Callable[P, R]:
        if inspect.iscoroutinefunction(view):

            @functools.wraps(view)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> t.Any:
                setattr(self._find(*args, **kwargs), name, value)
                return await view(*args, **kwargs)

            return t.cast("cabc.Callable[P, R]", awaited)

        @functools.wraps(view)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            setattr(self._find(*args, **kwargs), name, value)
            return view(*args, **kwargs)

        return called


def _current(*_: object, **__: object) -> Session:
    return current_session()


_decorators = RouteDecorators(_current)

# For WSGI applications below ``SessionMiddleware``, and for what they call.


def passive(view: cabc.Callable[P, R]) -> cabc.Callable[P, R]:
    """Have requests to *view* not extend the life of the session, see ``Session.passive``."""
    return _decorators.passive(view)


def outage(meaning: Outage) -> cabc.Callable[[cabc.Callable[P, R]], cabc.Callable[P, R]]:
    """Say what an outage of the store means to a view, in place of ``SessionPolicy.outage``.

    :param meaning: ``"error"`` or ``"unavailable"``.
    :raises ConfigurationError: if it is neither.
    """
    return _decorators.outage(meaning)
