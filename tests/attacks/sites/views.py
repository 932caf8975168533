"""What the three sites do alike. A view gets what the framework calls the session, and the query.

Those that may be overtaken use the session first, and then wait at the gate that the query names.
"""

from __future__ import annotations

import collections.abc as cabc
import json
import os
import time
import typing as t

from sessionkit.base_manager import BaseManager

from .gate import pass_gate

Query = dict[str, str]
View = cabc.Callable[[t.Any, Query], str]

#: Keys that a query has for the view, not for the session.
_INSTRUCTIONS = ("gate", "user", "key")


def untouched(session: t.Any, query: Query) -> str:
    return "untouched"


def show(session: t.Any, query: Query) -> str:
    return json.dumps({key: session[key] for key in list(session.keys())}, sort_keys=True)


def put(session: t.Any, query: Query) -> str:
    _load(session, query)
    session.update({key: value for key, value in query.items() if key not in _INSTRUCTIONS})
    return "put"


def append(session: t.Any, query: Query) -> str:
    """Change a value inside, with nothing that says so."""
    _load(session, query)
    session[query["key"]].append(1)
    return "appended"


def increment(session: t.Any, query: Query) -> str:
    _load(session, query)
    return str(session.mutate("count", lambda count: count + 1, 0))


def collect(session: t.Any, query: Query) -> str:
    _load(session, query)
    return str(len(session.mutate("names", lambda names: names | {query["key"]}, set())))


def flash(session: t.Any, query: Query) -> str:
    _load(session, query)
    session.flash["note"] = "late"
    return "flashed"


def save(session: t.Any, query: Query) -> str:
    _load(session, query)
    session["saved"] = "late"
    return str(session.save())


def touch(session: t.Any, query: Query) -> str:
    _load(session, query)
    return "read"


def pid(session: t.Any, query: Query) -> str:
    return str(os.getpid())


def mine(session: t.Any, query: Query) -> str:
    """Read the same thing again and again while others are served."""
    seen = set()

    for _ in range(5):
        seen.add(session.get("user"))
        time.sleep(0)  # a greenlet goes on at another place only if this one waits

    session["last"] = query["key"]
    return " ".join(sorted(map(str, seen)))


def fail(session: t.Any, query: Query) -> str:
    session["failed"] = "should not be kept"
    time.sleep(0)
    raise RuntimeError("as asked for")


VIEWS: dict[str, View] = {
    "/untouched": untouched,
    "/show": show,
    "/put": put,
    "/append": append,
    "/increment": increment,
    "/collect": collect,
    "/flash": flash,
    "/save": save,
    "/touch": touch,
    "/pid": pid,
    "/mine": mine,
    "/fail": fail,
}


def warm_up(manager: BaseManager) -> None:
    """Use the store, so that there is something open when the process forks."""
    session = manager.open()
    session["warm"] = True
    manager.commit(session)
    assert manager.open("sid=x").get("warm") is None


def _load(session: t.Any, query: Query) -> None:
    session.get("user")
    pass_gate(query.get("gate"))
