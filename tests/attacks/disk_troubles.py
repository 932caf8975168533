"""What can go wrong with any store on a disk, each as a context in which it does."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.privileges import own_folder

_BLOCK = 64 * 1024


@contextlib.contextmanager
def locked_by(program: str, path: Path) -> cabc.Generator[None, None, None]:
    """Let another process run *program* on *path*, which says ``locked`` and waits."""
    command = [sys.executable, "-c", program, str(path)]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"

        try:
            yield
        finally:
            other.communicate()


@contextlib.contextmanager
def filled_up(folder: Path) -> cabc.Generator[None, None, None]:
    """Fill the disk of *folder*, to the last byte that a new file can have."""
    ballast = folder / "ballast"

    with ballast.open("wb", buffering=0) as file:
        for size in (_BLOCK, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass

    try:
        yield
    finally:
        ballast.unlink()


@contextlib.contextmanager
def files_of_at_most(size: int) -> cabc.Generator[None, None, None]:
    """Let no file of this process grow beyond *size* bytes, as with a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def small_disk() -> cabc.Generator[Path, None, None]:
    """A small disk; the test is skipped where none can be mounted."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a disk; see file_may_not_grow")

    with own_folder() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=777", "tmpfs", str(folder)]

        if subprocess.run(command, check=False, capture_output=True).returncode != 0:
            pytest.skip("this root may not mount a disk; see file_may_not_grow")

        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
