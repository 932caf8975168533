"""Source distributions of frameworks, whose own tests are run against our sessions.

Fetched from the package index when they are needed; never kept in the repository.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import typing as t
from pathlib import Path


def fetch_sdist(requirement: str, into: Path) -> Path:
    """Download the source distribution of *requirement* once, and unpack it.

    :param requirement: with an exact version, ``flask==3.1.3``.
    :param into: the directory to unpack in; made if it does not exist.
    :return: the unpacked directory, which holds ``pyproject.toml``, ``tests`` and so on.
    """
    match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9._+!-]+)", requirement)

    if match is None:
        raise ValueError(f"{requirement!r} must name one version, as in flask==3.1.3")

    home = into / f"{match[1].lower()}-{match[2]}"

    if not home.is_dir():
        into.mkdir(parents=True, exist_ok=True)

        with tempfile.TemporaryDirectory(dir=into) as temporary:
            archive = _download(requirement, match[1], Path(temporary, "downloads"))
            _unpack(archive, Path(temporary, "unpacked"))
            # In one step, so that what is there is always complete.
            Path(temporary, "unpacked").rename(home)

    return _only_entry(home)


def _download(requirement: str, name: str, into: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", name, "--dest", str(into), requirement]
    subprocess.run(command, check=True)
    return _only_entry(into)


def _unpack(archive: Path, into: Path) -> None:
    # Pythons older than 3.10.12 and 3.11.4 know no filters.
    options: dict[str, t.Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}

    with tarfile.open(archive) as file:
        file.extractall(into, **options)


def _only_entry(directory: Path) -> Path:
    (entry,) = directory.iterdir()
    return entry
