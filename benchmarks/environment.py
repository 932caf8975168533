"""Makes the environment that is measured in, from ``requirements/bench.txt``; needs only Python."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".cache" / "bench-venv"
PYTHON = FOLDER / "bin" / "python"
_PINS = ROOT / "requirements" / "bench.txt"
_STAMP = FOLDER / "stamp"


def is_inside() -> bool:
    return Path(sys.prefix) == FOLDER


def enter(module: str, arguments: list[str]) -> None:
    """Go on as *module* in the environment, which is made if it is not there."""
    _make()
    path = os.pathsep.join([str(ROOT), str(ROOT / "integrations")])
    # What is measured is this checkout, and without a debug mode that somebody has set.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    os.chdir(ROOT)
    os.execve(
        PYTHON,
        [str(PYTHON), "-m", module, *arguments],
        {**kept, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
    )


def _make() -> None:
    base = _newest_python()
    wanted = hashlib.sha256(_PINS.read_bytes() + base.encode()).hexdigest()
    if _STAMP.exists() and _STAMP.read_text() == wanted:
        return
    print(f"making {FOLDER.relative_to(ROOT)} with {base}", file=sys.stderr, flush=True)
    subprocess.run([base, "-m", "venv", "--clear", str(FOLDER)], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(_PINS)], check=True)
    _STAMP.write_text(wanted)


def _newest_python() -> str:
    """Return the newest Python that can make environments; this one, if none is found."""
    found = subprocess.run(
        [str(ROOT / "scripts" / "pythons")], capture_output=True, text=True, check=False
    )
    for line in found.stdout.splitlines():
        _, able, path = line.split(" ", 2)
        if able == "yes":
            return path
    return sys.executable
