"""The file of an SQLite store: made, recognized, and made again when somebody took it away."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import pathlib
import time
import typing as t

from sessionkit.errors import StoreUnavailable

if t.TYPE_CHECKING:
    import fcntl
else:
    try:
        import fcntl
    except ImportError:  # Windows, which does not let anybody take away an open file either
        fcntl = None


#: Which file is found under a path: its device and its inode.
Identity = tuple[int, int]


def identity(path: str) -> Identity | None:
    """Say which file *path* is; None if there is none, or an empty one, which is no database."""
    try:
        status = os.stat(path)  # noqa: PTH116 - on the path of every request
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_size else None


def companions(path: str) -> dict[str, Identity]:
    """Return the files that SQLite keeps beside the database *path*."""
    found: dict[str, Identity] = {}
    for name in (f"{path}-wal", f"{path}-shm"):
        with contextlib.suppress(OSError):
            status = pathlib.Path(name).stat()
            found[name] = (status.st_dev, status.st_ino)
    return found


def make_file(path: str, stale: cabc.Collection[dict[str, Identity]]) -> None:
    """See to it that *path* can be opened and that nothing beside it belongs to an older file.

    SQLite would mix the log of the older file into the new one. Only called with the lock held.

    :param stale: the companions of older files under this path that this process still has open.
    """
    try:
        empty = os.stat(path).st_size == 0  # noqa: PTH116
    except FileNotFoundError:
        empty = None
    if empty and (stale or pathlib.Path(f"{path}-wal").exists()):
        # Truncated while in use. Those who have it open would write the rest of its log into it;
        # they do not if the file is no longer found under its name.
        with contextlib.suppress(OSError):
            pathlib.Path(path).unlink()
            empty = None
    for name, found in companions(path).items():
        if empty is None or any(found == older.get(name) for older in stale):
            pathlib.Path(name).unlink(missing_ok=True)
    if empty is None:
        with contextlib.suppress(FileExistsError):
            # Never opened if it exists: closing it would release SQLite's locks on it.
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            try:
                if hasattr(os, "fchmod"):
                    os.fchmod(descriptor, 0o600)  # the umask may have taken even that
            finally:
                os.close(descriptor)
    elif empty:
        pathlib.Path(path).chmod(0o600)


@contextlib.contextmanager
def folder_lock(path: str, patience: float) -> cabc.Generator[None, None, None]:
    """Let one process at a time make the file *path*. Leaves no lock file behind."""
    if fcntl is None:
        yield
        return
    try:
        descriptor = os.open(pathlib.Path(path).parent, os.O_RDONLY)
    except OSError:
        yield  # it may be opened though it may not be listed; SQLite has the last word
        return
    try:
        give_up = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > give_up:
                    raise StoreUnavailable(
                        f"another process has been making {path} for {patience:g} s",
                        unreachable=True,
                    ) from error
                time.sleep(0.002)  # as SQLite waits for its own locks
            except OSError:
                break  # a file system without locks
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child may have it open too
    finally:
        os.close(descriptor)
