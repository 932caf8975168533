"""Without root's right to read and write everything."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

NOBODY = 65534


@contextlib.contextmanager
def unprivileged() -> cabc.Generator[None, None, None]:
    """Do without root's right to read and write everything."""
    if os.geteuid() != 0:
        yield
        return

    os.seteuid(NOBODY)

    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def own_folder() -> cabc.Generator[Path, None, None]:
    """A folder that the unprivileged can reach too; pytest's are closed to others."""
    folder = Path(tempfile.mkdtemp())

    if os.geteuid() == 0:
        os.chown(folder, NOBODY, -1)

    try:
        yield folder
    finally:
        shutil.rmtree(folder)
