"""Examine a case: these requests, on such a session, in every order."""

from __future__ import annotations

import collections.abc as cabc
import functools
import typing as t

from .cases import Kind
from .cases import Scene
from .cases import before
from .cases import process
from .cases import receive
from .explorer import Content
from .explorer import Explorer
from .explorer import Moment
from .explorer import Shelf
from .operations import OPERATIONS
from .promises import Promises
from .promises import watch_store


class Examination(t.NamedTuple):
    """A case, and what is to be explored."""

    explorer: Explorer
    content: Content
    jar: str | None

    def explore(self) -> int:
        """Check the promises in every order of events; return how many orders there are.

        :raises BadSchedule: at the first one that breaks a promise.
        """
        return self.explorer.explore(self.content, self.jar)


def examine(*names: str, **how: t.Any) -> int:
    """Explore a case, see :func:`prepare`."""
    return prepare(*names, **how).explore()


def prepare(
    *names: str,
    scene: Scene = "alice",
    moving: bool = True,
    index_first: bool = False,
    at_large: bool = False,
    victims: cabc.Collection[int] = (),
) -> Examination:
    """Return the examination of a case.

    :param names: of the operations, one for each request.
    :param scene: whose session it is that the browser has.
    :param moving: whether the store can move, or the core composes it.
    :param index_first: it cannot, and writes to its index before it writes a record.
    :param at_large: the browser sends requests, and receives answers, at any time. Otherwise all
        requests are sent at first.
    :param victims: requests; the process of one of them is killed after any of its calls.
    """
    operations = tuple(OPERATIONS[name] for name in names)
    shelf = Shelf(watch_store)
    records, jar = before(scene)
    owned = [(record.owner, key) for key, record in records.items() if record.owner]
    content = shelf.content(records, index=owned if index_first else ())
    promises = Promises(operations, content, jar, index_first=index_first)
    kind: Kind = "index first" if index_first else "moving" if moving else "composed"

    explorer = Explorer(
        shelf,
        [functools.partial(_opened, name, number, kind) for number, name in enumerate(names)],
        lambda jar, outcome: receive(jar, outcome.instruction),
        promises.check_step,
        promises.check_end,
        at_large=at_large,
        victims=victims,
    )
    return Examination(explorer, content, jar)


# What a request does is the same in every case, and takes longer than to explore the orders.
@functools.lru_cache(64)
def _opened(name: str, number: int, kind: Kind, cookie: str | None) -> Moment:
    """Return an operation as that request, before its first call, with all that came after it."""
    return Moment(functools.partial(process(number, kind).run, OPERATIONS[name], cookie))


def forget() -> None:
    """Let all requests be run again, after the code under them was changed."""
    _opened.cache_clear()
