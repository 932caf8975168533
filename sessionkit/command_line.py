"""The commands for those who run a site; each is a line in a shell or in cron."""

from __future__ import annotations

import argparse
import collections.abc as cabc
import contextlib
import os
import pathlib
import sys
import time
import typing as t

from .counting import count_sessions
from .errors import ConfigurationError
from .errors import SessionError
from .errors import UnsupportedOperation
from .store import Closeable
from .store import Enumerable
from .store import Store
from .store import Sweepable
from .store import offers
from .stores import open_store
from .stores.memory import MemoryStore

#: How many sessions are removed between two steps of the progress bar.
BATCH = 1000

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def main(arguments: cabc.Sequence[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 the store failed, 2 it cannot be done.

    :param arguments: None: those of the process.
    """
    options = _parser().parse_args(arguments)

    try:
        with contextlib.closing(_Opened(options)) as opened:
            command: cabc.Callable[[Store], None] = options.command
            command(opened.store)
    except (ConfigurationError, UnsupportedOperation) as error:
        return _complain(error, WRONG)
    except SessionError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED

    return DONE


def purge(store: Store) -> None:
    """Remove the sessions that have expired, and say how many."""
    if not offers(store, Sweepable):
        raise UnsupportedOperation(
            f"{type(store).__name__} has nothing to purge: what has expired goes by itself"
        )

    _must_be_reached(store)
    sweepable = t.cast(Sweepable, store)
    removed = 0

    try:
        with _progress("expired sessions", "removed") as advance:
            while found := sweepable.sweep(time.time(), BATCH):
                removed += found
                advance(found)

            # A store without an index of expiry has not looked at everything yet.
            removed += sweepable.sweep(time.time())
    finally:
        print(f"{removed} expired sessions removed")  # noqa: T201  # the command's answer


def count(store: Store) -> None:
    """Count the sessions with and without an owner. Reads all of them: for a job at night."""
    if not offers(store, Enumerable):
        raise UnsupportedOperation(
            f"{type(store).__name__} cannot go through its sessions, so they cannot be counted"
        )

    _must_be_reached(store)

    with _progress("sessions", "read") as advance:
        found = count_sessions(_counted(store, advance), store.get, time.time)

    print(  # noqa: T201  # the command's answer
        f"sessions: {found.live}; with an owner: {found.owned}, without: {found.ownerless}"
    )


def _counted(store: Store, advance: cabc.Callable[[int], object]) -> cabc.Iterator[str]:
    enumerable = t.cast(Enumerable, store)

    for key in enumerable.keys():  # noqa: SIM118  # it is no dictionary
        advance(1)
        yield key


def _must_be_reached(store: Store) -> None:
    """Refuse a store of another process, and to make a new one where an old one is meant."""
    if isinstance(store, MemoryStore):
        raise UnsupportedOperation("what a process has in its memory only it can reach")

    path: str | None = getattr(store, "path", None)

    if path is not None and not pathlib.Path(path).exists():
        raise ConfigurationError(
            f"there is nothing at {path}; relative paths begin at the current directory, which is "
            "another one in cron"
        )


def schema(store: Store) -> None:
    """Print the SQL that makes the store's tables, for those who migrate by hand."""
    print(_of_database(store, "schema")())  # noqa: T201  # the command's answer


def create_schema(store: Store) -> None:
    """Make the store's tables where they are missing."""
    _of_database(store, "create_schema")()


def _of_database(store: Store, method: str) -> cabc.Callable[[], object]:
    found: cabc.Callable[[], object] | None = getattr(store, method, None)

    if found is None:
        raise UnsupportedOperation(f"{type(store).__name__} needs no schema to be made by hand")

    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sessionkit", description="Look after a store of sessions."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    for command in purge, count, schema, create_schema:
        text = (command.__doc__ or "").strip()
        name = command.__name__.replace("_", "-")
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        which = sub.add_mutually_exclusive_group(required=True)
        which.add_argument("url", nargs="?", help="the store, such as sqlite:///sessions.sqlite3")
        which.add_argument(
            "--env",
            metavar="NAME",
            help="the environment variable with the URL; the list of processes shows arguments",
        )

    return parser


class _Opened:
    """The store that the options name."""

    def __init__(self, options: argparse.Namespace) -> None:
        url = options.url

        if options.env is not None:
            url = os.environ.get(options.env)

            if not url:
                raise ConfigurationError(f"the environment has no variable {options.env!r}")

        self.store = open_store(url)

    def close(self) -> None:
        if offers(self.store, Closeable):
            t.cast(Closeable, self.store).close()


@contextlib.contextmanager
def _progress(what: str, done: str) -> cabc.Generator[cabc.Callable[[int], object], None, None]:
    """Show on a terminal how far it has come; elsewhere, as in cron's mail, nothing."""
    if not sys.stderr.isatty():
        yield lambda found: None
        return

    try:
        from tqdm import tqdm
    except ImportError:
        _say('pip install "wsgi-sessionkit[cli]" adds a progress bar')
        yield lambda found: None
        return

    with tqdm(desc=what, unit=f" {done}", leave=False) as bar:
        yield bar.update


def _complain(error: SessionError, status: int) -> int:
    _say(str(error))
    return status


def _say(text: str) -> None:
    print(f"sessionkit: {text}", file=sys.stderr)  # noqa: T201  # for whoever runs the command
