"""The wheel and the sdist as a user gets them; needs a package index for the build."""

import collections.abc as cabc
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.package, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "sessionkit": ROOT / "sessionkit",
    "flask_sessionkit": ROOT / "integrations" / "flask_sessionkit",
    "django_sessionkit": ROOT / "integrations" / "django_sessionkit",
}
SHIPPED = {".py", ".html", ".css", ".js", ".svg"}


# A visitor's first request, and a second with the cookie that the first one set.
VISIT = """
import runpy
from werkzeug.test import Client

client = Client(runpy.run_path("example.py")["application"])
first = client.get("/")
assert first.status_code == 200, first.status
assert first.headers.get("Set-Cookie"), "the example's first answer should set the session's cookie"
second = client.get("/")
assert second.status_code == 200, second.status
assert not second.headers.get("Set-Cookie"), "only the first answer sets it"
assert first.data and second.data
"""


def readme_wsgi_example() -> str:
    """The first Python block under the heading that says WSGI."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    heading = ""
    for part in re.finditer(r"^```(\w*)\n(.*?)^```|^#+ ([^\n]*)", text, re.MULTILINE | re.DOTALL):
        language, code, title = part.groups()
        heading = title or heading
        if language == "python" and "WSGI" in heading:
            return str(code)
    pytest.fail("README.md has no ```python block under a heading that contains WSGI")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    # Nothing of the outer environment may lend the inner one its packages.
    env = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PIP_CONSTRAINT"}}
    done = subprocess.run(  # noqa: PLW1510 - the assertion shows the output
        command, cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a release is made: the sdist from the sources, the wheel from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    return out


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("wsgi_sessionkit-*-py3-none-any.whl")
    return path


@pytest.fixture(scope="session")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel and what it requires, and nothing else."""
    home = tmp_path_factory.mktemp("empty")
    venv.create(home, with_pip=False)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", wheel)
    return python


def sources() -> cabc.Iterator[str]:
    """Every file that the wheel must hold, as named in it."""
    for name, folder in PACKAGES.items():
        for path in folder.rglob("*"):
            if path.suffix in SHIPPED or path.name == "py.typed":
                yield f"{name}/{path.relative_to(folder).as_posix()}"


def test_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}
    assert names == set(sources())
    assert {f"{package}/py.typed" for package in PACKAGES} <= names


def test_wheel_carries_its_licence_and_its_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
        assert any(n.endswith("/licenses/LICENSE") for n in archive.namelist())
    assert "\nName: wsgi-sessionkit\n" in text
    assert "\nLicense-Expression: MIT\n" in text
    assert "\nDescription-Content-Type: text/markdown\n" in text


def test_sdist_holds_what_a_packager_needs(dist: Path) -> None:
    (path,) = dist.glob("wsgi_sessionkit-*.tar.gz")
    with tarfile.open(path) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    wanted = {
        "pyproject.toml", "setup.cfg", "tox.ini", "Makefile", "LICENSE", "README.md", "CHANGES.md",
        "scripts/bootstrap", "requirements/lowest.txt", "integrations/flask_sessionkit/py.typed",
    }  # fmt: skip
    wanted |= {p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").rglob("*.py")}
    assert not wanted - names
    private = re.compile(r"(^|/)(\.venv|\.tox|\.git|__pycache__)(/|$)|\.sqlite3")
    assert not [n for n in names if private.search(n)]


def test_the_core_needs_and_imports_no_framework(python: Path, tmp_path: Path) -> None:
    program = """
import importlib.util
import sessionkit, sessionkit.stores
from sessionkit import CookieOptions, Record, Session, SessionManager, SessionMiddleware
from sessionkit import SessionPolicy, Store, current_session, errors, signals
assert "site-packages" in sessionkit.__file__, sessionkit.__file__
for name in ("flask", "django", "redis", "sqlalchemy"):
    assert importlib.util.find_spec(name) is None, name + " was installed"
"""
    run(python, "-I", "-c", program, cwd=tmp_path)


def test_importing_the_core_imports_no_framework_that_is_there() -> None:
    program = """
import sys
import sessionkit, sessionkit.stores
print({"flask", "django", "redis", "hiredis"} & set(sys.modules))
"""
    assert run(sys.executable, "-I", "-c", program).strip() == "set()"


def test_readme_wsgi_example_runs(python: Path, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(readme_wsgi_example(), encoding="utf-8")
    run(python, "-I", "-c", VISIT, cwd=tmp_path)
