"""Where index and record are not one write: whoever is killed, the index neither leaks nor hides.

Any requests of two users, of which any is killed at any step of the store, or held up there while
another one is made. After each, what a list of sessions shows is compared with what the cookies
lead to, those of answers that were never sent included.
"""

from __future__ import annotations

import base64
import collections.abc as cabc
import functools
import hashlib
import itertools
import tempfile
import typing as t

import hypothesis
import pytest
from hypothesis import strategies as st

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.stores import open_store
from sessionkit.stores import redis_cluster
from sessionkit.stores.file import FileStore
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.redis_cluster import RedisClusterStore
from tests.attacks.website import SOAK
from tests.engines import ENGINES

from .index_steps import Commands
from .index_steps import Killed
from .index_steps import run_until_killed
from .support import Browser

pytestmark = pytest.mark.attack

ACTIONS = ("ann", "bob", "renew", "write", "logout", "revoke", "revoke all", "list")

#: Most requests send fewer commands, and call the system less often.
COMMANDS, CALLS = 5, 60

BROWSERS = 3

#: How many ids a request and one that is made meanwhile draw at most.
DRAWS = 4

IDENTITY_BYTES, ID_BYTES = 54, 30

#: Seconds; a little more.
TEN_MINUTES = 610.0

KILLED = st.just("killed")
TEN_MINUTES_PASS = st.just("ten minutes pass")
OTHERS = st.sampled_from(ACTIONS)


def bounded(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=50 * examples if SOAK else examples,
        deadline=None,
        derandomize=not SOAK,
        suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
    )


class Fate(t.NamedTuple):
    """What befalls a request.

    :ivar number: of the command that it happens at.
    :ivar after: when that has been carried out, else before it is sent.
    :ivar browser: whose request is made meanwhile.
    :ivar what: the process is killed, or held up for what happens meanwhile.
    """

    number: int
    after: bool
    browser: int
    what: str


class Request(t.NamedTuple):
    """A request of a browser, which is an action of :meth:`World.act`."""

    browser: int
    action: str
    fate: Fate | None


def requests(steps: int, what: st.SearchStrategy[str]) -> st.SearchStrategy[list[Request]]:
    browsers = st.integers(0, BROWSERS - 1)
    fate = st.builds(Fate, st.integers(0, steps), st.booleans(), browsers, what)
    actions = st.sampled_from(("ann", "renew")) | OTHERS
    return st.lists(st.builds(Request, browsers, actions, st.none() | fate), min_size=2, max_size=6)


class World:
    """Some browsers and two users, whom nobody else has met."""

    _numbers = itertools.count()

    def __init__(
        self,
        store: t.Any,
        pass_time: cabc.Callable[[str], object] | None = None,
        name: str | None = None,
    ) -> None:
        self._name = f"{next(self._numbers)}" if name is None else name
        self._pass_time = pass_time
        self._request = 0
        self._drawn: dict[int, cabc.Iterator[int]] = {}
        self.manager = SessionManager(store, random_bytes=self._random_bytes)
        self.browsers = [Browser(self.manager) for _ in range(BROWSERS)]
        self.owners = [f"{name} {self._name}" for name in ("ann", "bob")]

    def begin(self) -> None:
        """Number the request, and so the ids of which one that is killed tells nobody."""
        self._request += 1
        self._drawn = {}

    def act(self, number: int, action: str) -> str | None:
        """Make a request; return the browser's cookie after it."""
        if action == "killed":
            raise Killed

        ann, bob = self.owners
        actions: dict[str, cabc.Callable[[Session], object]] = {
            "ann": lambda session: session.bind(ann),
            "bob": lambda session: session.bind(bob),
            "renew": Session.renew,
            "write": lambda session: session.update(written=self._request),
            "logout": Session.destroy,
            "revoke": lambda session: self._revoke(ann),
            "revoke all": lambda session: self.manager.revoke_all(ann),
            "list": lambda session: self.manager.sessions_of(ann),
            "ten minutes pass": lambda session: self._ten_minutes(ann),
        }
        self.browsers[number].visit(actions[action])
        return self.browsers[number].value

    def examine(self) -> None:
        """Compare the lists with what every id leads to that may ever have been drawn."""
        found = [self.manager.open(f"sid={value}") for value in self._ids()]
        live = [(one.owner, one.public_id) for one in found if one.owner is not None]

        for owner in self.owners:
            listed = [(owner, info.public_id) for info in self.manager.sessions_of(owner)]
            assert sorted(listed) == sorted(one for one in live if one[0] == owner)

    def end_all(self) -> None:
        for owner in self.owners:
            self.manager.revoke_all(owner)
            assert self.manager.sessions_of(owner) == []

        assert {self.manager.open(f"sid={value}").owner for value in self._ids()} == {None}

    def _revoke(self, owner: str) -> None:
        for info in self.manager.sessions_of(owner)[:1]:
            self.manager.revoke(owner, info.public_id)

    def _ten_minutes(self, owner: str) -> None:
        assert self._pass_time is not None
        self._pass_time(owner)
        self.manager.sessions_of(owner)

    def _random_bytes(self, size: int) -> bytes:
        number = next(self._drawn.setdefault(size, itertools.count()))
        assert size != IDENTITY_BYTES or number < DRAWS
        return self._draw(size, self._request, number)

    def _draw(self, size: int, request: int, number: int) -> bytes:
        text = f"{self._name} {request} {number}"
        return hashlib.blake2b(text.encode(), digest_size=size).digest()

    def _ids(self) -> cabc.Iterator[str]:
        for request, number in itertools.product(range(self._request + 1), range(DRAWS)):
            drawn = self._draw(IDENTITY_BYTES, request, number)
            yield base64.urlsafe_b64encode(drawn[:ID_BYTES]).decode()


def opened(name: str, request: pytest.FixtureRequest) -> t.Any:
    engine = next(one for one in ENGINES if one.name == name)
    return open_store(engine.url(request))


def follow(world: World, commands: Commands, made: list[Request]) -> None:
    """Make the requests, with what befalls them, and examine what is left by each."""
    for browser, action, fate in made:
        world.begin()
        act = functools.partial(world.act, browser, action)

        if fate is None:
            act()
        else:
            happening = functools.partial(world.act, fate.browser, fate.what)
            commands.run(act, fate.number, fate.after, happening)

        world.examine()

    world.end_all()


@pytest.fixture(scope="module")
def redis_store(request: pytest.FixtureRequest) -> RedisStore:
    return t.cast(RedisStore, opened("redis", request))


@pytest.fixture(scope="module")
def redis_commands(redis_store: RedisStore) -> Commands:
    return Commands(redis_store, "_read", "_write", "_run")


@bounded(100)
@hypothesis.given(made=requests(COMMANDS, KILLED | OTHERS))
def test_redis(redis_store: RedisStore, redis_commands: Commands, made: list[Request]) -> None:
    follow(World(redis_store), redis_commands, made)


@pytest.fixture(scope="module")
def cluster_store(request: pytest.FixtureRequest) -> RedisClusterStore:
    return t.cast(RedisClusterStore, opened("redis+cluster", request))


@pytest.fixture(scope="module")
def cluster_commands(cluster_store: RedisClusterStore) -> Commands:
    return Commands(cluster_store._cluster, "read", "write", "run", "look", "read_at")


@pytest.fixture
def pass_time(
    cluster_store: RedisClusterStore, monkeypatch: pytest.MonkeyPatch
) -> cabc.Callable[[str], None]:
    """Return what makes members ten minutes older, and tells those who write one."""
    cluster, now, ahead = cluster_store._cluster, redis_cluster._now, 0.0
    monkeypatch.setattr(redis_cluster, "_now", lambda: now() + ahead)

    def pass_time(owner: str) -> None:
        nonlocal ahead
        ahead += TEN_MINUTES
        index = cluster_store._names.index(owner)
        listed = cluster.read(index, "ZRANGE", index, 0, -1)

        for member in listed:
            cluster.write(index, "ZINCRBY", index, -int(TEN_MINUTES), member)

    return pass_time


@bounded(200)
@hypothesis.given(made=requests(COMMANDS, KILLED | TEN_MINUTES_PASS | OTHERS))
def test_redis_cluster(
    cluster_store: RedisClusterStore,
    cluster_commands: Commands,
    pass_time: cabc.Callable[[str], None],
    made: list[Request],
) -> None:
    follow(World(cluster_store, pass_time), cluster_commands, made)


@bounded(30)
@hypothesis.given(made=requests(CALLS, KILLED))
def test_file(made: list[Request]) -> None:
    # An empty one each time: which calls are made depends on what there is.
    with tempfile.TemporaryDirectory() as folder:
        world = World(FileStore(f"{folder}/sessions"), name="")

        for browser, action, fate in made:
            world.begin()
            act = functools.partial(world.act, browser, action)

            if fate is None:
                act()
            elif (done := run_until_killed(act, fate.number)) is not None:
                world.browsers[browser].value = done or None

            world.examine()

        world.end_all()
