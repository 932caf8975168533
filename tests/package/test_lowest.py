"""requirements/lowest.txt says what pyproject.toml says."""

from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]


def test_lowest_pins_are_the_lower_bounds() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has none")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        declared += extra
    bounds = {}
    for requirement in declared:
        if requirement.startswith("wsgi-sessionkit["):  # all of them
            continue
        name, _, version = requirement.partition(">=")
        bounds[name.partition("[")[0]] = Version(version)
    pins = {}
    for line in (ROOT / "requirements" / "lowest.txt").read_text(encoding="utf-8").splitlines():
        name, equals, version = line.partition("==")
        if equals:
            pins[name] = Version(version)
    assert pins == bounds
