"""Runs commands as an administrator does: in a shell, and on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import typing as t


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sessionkit", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Shown(t.NamedTuple):
    output: str
    terminal: str


def run_on_terminal(*arguments: str) -> Shown:
    """Return the output, and what the terminal has shown beside it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 25, 80, 0, 0))
    done = subprocess.run(
        [sys.executable, "-m", "sessionkit", *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=60,
        check=True,
    )
    os.write(theirs, b".")  # else reading would wait for what was never shown
    shown = os.read(ours, 100_000).decode()
    os.close(theirs)
    os.close(ours)
    return Shown(done.stdout.decode(), shown)
