"""What a request does to its session: one view a scenario, the same for every implementation."""

from __future__ import annotations

import collections.abc as cabc
import itertools
import typing as t

#: How many write at once in the scenario of that name.
WRITERS = 8

_PRODUCT = "Your order has been received and is being looked at. "


def content() -> dict[str, t.Any]:
    """Return a session of 1 KB that every implementation can keep, those with JSON too."""
    return {
        "user": 4711,
        "name": "Ada Lovelace",
        "csrf": "8f14e45fceea167a5a36dedd4bea2543" * 2,
        "locale": "de-CH",
        "admin": False,
        "visits": 17,
        "seen": 1_760_000_000.25,
        "next": "/catalogue/machines/analytical?page=3&sort=price",
        "recent": [f"/catalogue/item/{number}" for number in range(10)],
        "cart": {
            "items": [
                {"sku": "A-100", "name": "Blue mug", "quantity": 2, "price": 1999},
                {"sku": "B-7", "name": "Red plate", "quantity": 1, "price": 1250},
                {"sku": "C-55", "name": "Fork", "quantity": 6, "price": 300},
            ],
            "currency": "EUR",
        },
        "notice": _PRODUCT * 5,
    }


def history(kilobytes: int) -> list[dict[str, t.Any]]:
    """Return a value of about so many KB, made of small parts."""
    return [
        {"order": number, "text": _PRODUCT, "prices": [number, 2 * number]}
        for number in range(kilobytes * 1000 // 84)
    ]


_large = history(99)
_numbers = itertools.count(1_000_000)


class Face(t.Protocol):
    """How an implementation says what the scenarios do."""

    def session(self, source: t.Any, /) -> t.Any:
        """Return the session; *source* is the environ, or the framework's request."""

    def created(self, session: t.Any, /) -> object:
        """What it wants after the first assignments to a session."""

    def written(self, session: t.Any, /) -> object:
        """What it wants after an assignment."""

    def changed(self, session: t.Any, /) -> object:
        """What it wants after a change inside of a value."""

    def renew(self, session: t.Any, /) -> object:
        """Give the session another id."""

    def end(self, session: t.Any, /) -> object:
        """End the session."""


class PlainFace:
    """Implementations that want nothing said."""

    def session(self, source: t.Any, /) -> t.Any:
        raise NotImplementedError

    def created(self, session: t.Any, /) -> object:
        return None

    def written(self, session: t.Any, /) -> object:
        return None

    def changed(self, session: t.Any, /) -> object:
        return None

    def renew(self, session: t.Any, /) -> object:
        return session.renew()

    def end(self, session: t.Any, /) -> object:
        return session.destroy()


View = cabc.Callable[[t.Any, Face], bytes]


def untouched(source: t.Any, face: Face) -> bytes:
    return b"ok"


def read(source: t.Any, face: Face) -> bytes:
    return b"ok" if face.session(source)["user"] else b""


def write(source: t.Any, face: Face) -> bytes:
    session = face.session(source)
    session["visits"] = next(_numbers)
    face.written(session)
    return b"ok"


def create(source: t.Any, face: Face) -> bytes:
    session = face.session(source)
    session.update(content())
    face.created(session)
    return b"ok"


def create_large(source: t.Any, face: Face) -> bytes:
    session = face.session(source)
    session.update(content())
    session["history"] = _large
    face.created(session)
    return b"ok"


def login(source: t.Any, face: Face) -> bytes:
    session = face.session(source)
    face.renew(session)
    session["user"] = next(_numbers)
    face.written(session)
    return b"ok"


def logout(source: t.Any, face: Face) -> bytes:
    face.end(face.session(source))
    return b"ok"


def nested(source: t.Any, face: Face) -> bytes:
    session = face.session(source)
    session["cart"]["items"][0]["quantity"] = next(_numbers)
    face.changed(session)
    return b"ok"


def writer(number: int) -> View:
    """Return the view of one of those who write at once, each a key of its own."""
    key = f"writer{number}"

    def view(source: t.Any, face: Face) -> bytes:
        session = face.session(source)
        session[key] = session.get(key, 0) + 1
        face.written(session)
        return b"ok"

    return view


def kept(source: t.Any, face: Face) -> bytes:
    session = face.session(source)
    return b"%d" % sum(session.get(f"writer{number}", 0) for number in range(WRITERS))


#: By their paths.
VIEWS: dict[str, View] = {
    "/untouched": untouched,
    "/read": read,
    "/write": write,
    "/create": create,
    "/create-large": create_large,
    "/login": login,
    "/logout": logout,
    "/nested": nested,
    "/kept": kept,
    **{f"/writer{number}": writer(number) for number in range(WRITERS)},
}


class Scenario(t.NamedTuple):
    """One column of the tables.

    :param cookie: which session the browser has: none, a small or large one, or one whose idle
        time must be written anew.
    :param once: each request needs a session of its own, since it ends or replaces it.
    :param rolling: the implementation is set to prolong sessions that are read.
    """

    title: str
    path: str
    cookie: t.Literal["none", "small", "large", "due"] = "small"
    once: bool = False
    rolling: bool = False


SCENARIOS = {
    "untouched": Scenario("untouched, no cookie", "/untouched", "none"),
    "untouched-cookie": Scenario("untouched, cookie", "/untouched"),
    "read": Scenario("read", "/read"),
    "write": Scenario("write", "/write"),
    "nested": Scenario("nested change", "/nested"),
    "create": Scenario("create", "/create", "none"),
    "rolling": Scenario("rolling read", "/read", rolling=True),
    "refresh": Scenario("rolling read, due", "/read", "due", once=True, rolling=True),
    "login": Scenario("login", "/login", once=True),
    "logout": Scenario("logout", "/logout", once=True),
    "read-100k": Scenario("read, 100 KB", "/read", "large"),
    "write-100k": Scenario("write, 100 KB", "/write", "large"),
    "contended": Scenario(f"{WRITERS} writers", "/writer"),
}
