"""The folder of a file store: made for its user alone, and used only while it is theirs alone."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
import typing as t

from sessionkit.errors import StoreUnavailable

# Missing on Windows, where nothing here is called.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

#: To open a folder.
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK

#: To read a file, without waiting where somebody has put a pipe in its place.
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINK

#: To read and write one.
WRITE = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | _NO_LINK
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK

# Longer than a file system's clock stands still: what changes within it may not be seen by it.
_TICK = 0.1

is_shard = re.compile(r"[0-9a-f]{2}").fullmatch
is_key = re.compile(r"[0-9a-fA-F]{64}").fullmatch


class _Seen(t.NamedTuple):
    """The folder, as it was when these shards in it were checked."""

    stamp: tuple[int, int, int]
    shards: set[str]


class Folder:
    """The folder *path*, and the folders in it.

    :param durable: whether what is made is flushed to the disk.
    """

    def __init__(self, path: str, *, durable: bool) -> None:
        self.path = path
        self.durable = durable
        self._seen = _Seen((0, 0, 0), set())

    def check(self) -> None:
        """See to it that the folder is there, and ours alone.

        It is made if it is missing, also if somebody has taken it away.

        :raises StoreUnavailable: it is not ours alone, or cannot be reached.
        """
        try:
            self._look()
        except OSError as error:
            raise self._unreachable(error) from error

    def has(self, name: str) -> bool:
        """Do the same, and say whether there is a folder *name* in it that is ours alone too."""
        try:
            seen = self._look()
            if name in seen.shards:
                return True
            path = f"{self.path}/{name}"
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                return False
            _check(status, path)
        except OSError as error:
            raise self._unreachable(error) from error
        seen.shards.add(name)
        return True

    def make(self, name: str) -> None:
        """Make the folder *name* in it, if it is missing."""
        if not self.has(name):
            with self.open() as descriptor:
                make_folder(name, descriptor, durable=self.durable)

    def shards(self) -> list[str]:
        """Return the names of the folders in it that hold sessions."""
        self.check()
        with self.open() as descriptor:
            return sorted(filter(is_shard, names_in(descriptor)))

    @contextlib.contextmanager
    def open(self, *names: str, make: bool = False) -> t.Generator[int, None, None]:
        """Open the folder that is found by these names, one below the other.

        :param make: whether to make what is missing.
        :raises FileNotFoundError: it is missing.
        """
        path = self.path
        descriptor = os.open(path, FOLDER)
        try:
            _check(os.fstat(descriptor), path)
            for name in names:
                try:
                    deeper = os.open(name, FOLDER, dir_fd=descriptor)
                except FileNotFoundError:
                    if not make:
                        raise
                    make_folder(name, descriptor, durable=self.durable)
                    deeper = os.open(name, FOLDER, dir_fd=descriptor)
                descriptor, done = deeper, descriptor
                os.close(done)
                path = f"{path}/{name}"
                _check(os.fstat(descriptor), path)
            yield descriptor
        finally:
            os.close(descriptor)

    def _look(self) -> _Seen:
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            status = self._make()
        # Whatever changes in the folder, or its owner and mode, changes this time.
        stamp = (status.st_dev, status.st_ino, status.st_ctime_ns)
        seen = self._seen
        if seen.stamp != stamp:
            _check(status, self.path)
            seen = _Seen(stamp, set())
            if time.time() - status.st_ctime > _TICK:
                self._seen = seen
        return seen

    def _make(self) -> os.stat_result:
        parent, name = os.path.split(self.path)
        descriptor = os.open(parent, os.O_RDONLY)
        try:
            make_folder(name, descriptor, durable=self.durable)
        finally:
            os.close(descriptor)
        return os.lstat(self.path)

    def _unreachable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"cannot use {self.path} ({error.strerror})", unreachable=True)


def make_folder(name: str, parent: int, *, durable: bool) -> None:
    """Make a folder that is ours alone, whatever the umask; it may be there by now."""
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return
    if stat.S_IMODE(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode) != 0o700:
        os.chmod(name, 0o700, dir_fd=parent)
    if durable:
        os.fsync(parent)


def create(name: str, folder: int) -> int:
    """Create a file that is ours alone, whatever the umask, and open it.

    :raises FileExistsError: there is something under this name.
    """
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=folder)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def flush(descriptor: int) -> None:
    """Write what is in an open file to the disk."""
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS has only the latter


def names_in(folder: int) -> list[str]:
    """Return the names of what is in a folder that is open."""
    return os.listdir(folder)


def _check(status: os.stat_result, path: str) -> None:
    if stat.S_ISLNK(status.st_mode):
        problem = "is a symbolic link, which is not followed: name the folder that it leads to"
    elif not stat.S_ISDIR(status.st_mode):
        problem = "is no folder: remove it"
    elif status.st_uid != os.geteuid():
        problem = (
            f"belongs to user {status.st_uid}, and this process is user {os.geteuid()}: run it as "
            "that user, or name a folder that does not exist yet, which is then made"
        )
    elif status.st_mode & 0o022:
        mode = stat.S_IMODE(status.st_mode)
        problem = (
            f"can be written to by others (mode {mode:o}), who could plant sessions there: "
            "chmod 700, or name a folder in it that does not exist yet, which is then made"
        )
    else:
        return
    raise StoreUnavailable(f"{path} {problem}", unreachable=True)
