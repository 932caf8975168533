"""Locks on folders: between threads and processes, and free again when their holder is killed."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from sessionkit.errors import StoreUnavailable

from ._file_folder import FOLDER

if t.TYPE_CHECKING:
    import fcntl
else:
    try:
        import fcntl
    except ImportError:  # Windows
        fcntl = None

# However long it takes, who waits looks again after so many seconds.
_LONGEST_PAUSE = 0.005

# A lock belongs to an open file, which a forked child has too: if the parent was killed then, the
# child would keep its lock. So a child closes what its parent had open for a lock.
_held: set[int] = set()
_process = os.getpid()
_forks = 0


def available() -> bool:
    """Say whether this system has such locks."""
    return fcntl is not None


def acquire(path: str, patience: float) -> int:
    """Return a descriptor of the folder *path*, whose lock it holds.

    :param patience: seconds to wait for others.
    :raises FileNotFoundError: there is no such folder.
    """
    descriptor = _open(path)
    try:
        _wait(descriptor, path, patience)
    except BaseException:
        release(descriptor)
        raise
    return descriptor


def release(descriptor: int) -> None:
    """Close what :func:`acquire` has returned."""
    if descriptor not in _held:
        return  # closed by a fork
    with contextlib.suppress(OSError):  # to close it is enough, but that
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child may have it open for a moment
    _held.discard(descriptor)
    os.close(descriptor)


def _open(path: str) -> int:
    if _process != os.getpid():  # nobody has announced the fork
        _after_in_child()
    while True:
        before = _forks
        descriptor = os.open(path, FOLDER)
        _held.add(descriptor)
        if before == _forks:
            return descriptor
        release(descriptor)  # a child may have it without knowing


def _wait(descriptor: int, path: str, patience: float) -> None:
    give_up: float | None = None
    pause = 0.0001
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            now = time.monotonic()
            if give_up is None:
                give_up = now + patience
            if now >= give_up:
                raise StoreUnavailable(
                    f"{path}: another writer did not let us in for {patience:g} s",
                    unreachable=True,
                ) from error
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        except OSError as error:
            raise StoreUnavailable(
                f"{path} cannot be locked ({error.strerror}); it must be on a disk of this machine"
            ) from error
        else:
            return


def _before() -> None:
    global _forks  # noqa: PLW0603
    _forks += 1


def _after_in_child() -> None:
    global _process  # noqa: PLW0603
    _process = os.getpid()
    while _held:
        with contextlib.suppress(OSError):  # somebody has closed all that was open
            os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_child=_after_in_child)
