"""Follows what a page of the documentation says: its commands, its edits, and nothing else."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import html
import re
import shlex
import subprocess
import sys
import typing as t
from pathlib import Path

from tests.demo.visitor import Page
from tests.demo.visitor import Visitor
from tests.servers.web import WebServer

ROOT: t.Final = Path(__file__).parents[2]

#: How a command of the pages is called with the interpreter that runs the tests.
PROGRAMS: t.Final = {"python": [], "flask": ["-m", "flask"], "django-admin": ["-m", "django"]}

#: What ends with the reader, who is asked for it or presses Ctrl-C.
INSTEAD: t.Final = {"createsuperuser": "createsuperuser --noinput"}


class Block(t.NamedTuple):
    """A block of code of a page."""

    language: str
    text: str


def blocks(page: str, heading: str, *languages: str) -> list[Block]:
    """Return the blocks of these languages under a heading, up to the next of its level."""
    text = (ROOT / page).read_text("utf-8")
    level = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert level, f"{page} has no heading {heading!r}"
    section = re.split(rf"^#{{1,{len(level[1])}}} ", text[level.end() :], flags=re.MULTILINE)[0]
    found = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return [Block(*one) for one in found if one[0] in languages]


class Walkthrough:
    """Somebody who does in an empty folder what a page says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: DevelopmentServer | None = None

    @contextlib.contextmanager
    def follow(self, steps: cabc.Iterable[Block]) -> cabc.Iterator[DevelopmentServer]:
        """Do what the blocks say; the last command starts a server, which then is there."""
        for step in steps:
            if step.language == "diff":
                self.edit(step.text)
            else:
                for line in step.text.splitlines():
                    self.run(line)

        assert self.server is not None, "the page does not say how to start it"

        with self.server as server:
            yield server

    def run(self, line: str) -> None:
        """Run a command, but for a server, which is only made ready to be started."""
        program, *arguments = shlex.split(line, comments=True)

        if program == "cd":
            (name,) = arguments
            self.folder /= name
        elif arguments[-1] in ("run", "runserver"):
            self.server = DevelopmentServer(self.folder, [*PROGRAMS[program], *arguments])
        else:
            given = [word for one in arguments for word in INSTEAD.get(one, one).split()]
            command = [sys.executable, *PROGRAMS[program], *given]
            done = subprocess.run(
                command, cwd=self.folder, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"

    def edit(self, diff: str) -> None:
        """Make the changes of a diff: lines that are there are replaced, or some are added."""
        for part in re.split(r"^--- ", diff, flags=re.MULTILINE)[1:]:
            name, _, hunks = part.partition("\n")
            file = self.folder / name
            text = file.read_text("utf-8")

            for hunk in re.split(r"^@@.*\n", hunks, flags=re.MULTILINE):
                text = _changed(text, hunk.splitlines(), name)

            file.write_text(text, "utf-8")


def _changed(text: str, hunk: list[str], name: str) -> str:
    before = "".join(f"{line[1:]}\n" for line in hunk if not line.startswith("+"))
    after = "".join(f"{line[1:]}\n" for line in hunk if not line.startswith("-"))

    if not before:
        return text + after

    assert text.count(before) == 1, f"{name} does not have once:\n{before}"
    return text.replace(before, after)


class DevelopmentServer(WebServer):
    """The server that a framework's command starts, on another port than it says."""

    programs = (sys.executable,)

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        super().__init__()
        self.folder.rmdir()
        self.folder = folder
        self._arguments = arguments

    def command(self) -> list[str]:
        port = str(self.port)
        # Without the second process that looks for changes of the code.
        options = {"run": ["--port", port], "runserver": ["--noreload", port]}
        return [self.program, *self._arguments, *options[self._arguments[-1]]]

    def remove(self) -> None:
        """End it, but leave the folder; a test that fails shows what it said."""
        self.kill()
        print(self.log.read_text("utf-8"))  # noqa: T201


def submit(visitor: Visitor, path: str, mark: str = "", /, **fields: str) -> Page:
    """Fill in the first form of a page, or the first that is marked so, and send it."""
    page = visitor.get(path)
    form = re.search(f"<form(?=[^>]*{mark})(.*?)>", page.source)
    assert form, page
    action = re.search(r'action="([^"]*)"', form[1])
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.source)
    target = path if action is None else html.unescape(action[1])
    return visitor.post(target, **{**dict(hidden), **fields})


def buttons(page: Page, name: str) -> list[str]:
    """Return the values of the buttons of this name."""
    return re.findall(rf'<button name="{name}" value="([^"]+)"', page.source)
