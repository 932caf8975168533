"""Run the own tests of Flask, Flask-Login and Flask-WTF with our sessions in every application.

usage: python tests/suites/run_flask.py sqlite|redis DIRECTORY [pytest argument ...]
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Last, so that an installed sessionkit is the one that is tested.
sys.path.append(str(HERE.parents[1]))

from tests.suites.fetch import fetch_sdist  # noqa: E402
from tests.suites.flask_not_applicable import NOT_APPLICABLE  # noqa: E402
from tests.suites.store_url import store_url  # noqa: E402


def main(kind: str, directory: Path, arguments: list[str]) -> int:
    worst = 0

    for suite, exceptions in NOT_APPLICABLE.items():
        version = importlib.metadata.version(suite)
        source = fetch_sdist(f"{suite}=={version}", directory)
        sys.stdout.write(f"\n{suite} {version} on {kind}\n")
        sys.stdout.flush()

        with store_url(kind, "{number}.sqlite3") as url:
            environ = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
                "SESSIONKIT_SUITE_STORE": url,
                "SESSIONKIT_SUITE_EXCEPTIONS": json.dumps(exceptions),
            }
            command = [sys.executable, "-m", "pytest", "-q", "-p", "flask_plugin"]
            # Flask-Login calls it, and makes errors of warnings.
            command += ["-W", "ignore:datetime.datetime.utcnow:DeprecationWarning"]
            command += [*arguments, "tests"]
            run = subprocess.run(command, cwd=source, env=environ, check=False)
            worst = max(worst, run.returncode)

    return worst


if __name__ == "__main__":
    if sys.argv[1:2] not in (["sqlite"], ["redis"]) or len(sys.argv) < 3:
        sys.exit(__doc__)

    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
