"""Run Django's own tests that touch sessions on our engine, under its middleware and under ours.

usage: python tests/suites/run_django.py sqlite|redis|model DIRECTORY [argument of runtests.py ...]
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Last, so that an installed sessionkit is the one that is tested.
sys.path.append(str(HERE.parents[1]))

from tests.suites.fetch import fetch_sdist  # noqa: E402
from tests.suites.store_url import store_url  # noqa: E402

LABELS = [
    "django_engine_tests",
    "sessions_tests",
    # Not the tests of its password hashers, validators, models and commands, which take a minute.
    "auth_tests.test_auth_backends",
    "auth_tests.test_basic",
    "auth_tests.test_context_processors",
    "auth_tests.test_decorators",
    "auth_tests.test_login",
    "auth_tests.test_middleware",
    "auth_tests.test_mixins",
    "auth_tests.test_remote_user",
    "auth_tests.test_signals",
    "auth_tests.test_views",
    "messages_tests",
    "test_client",
    "test_client_regress",
    "csrf_tests",
    "async.test_async_auth",
]


def main(kind: str, directory: Path, arguments: list[str]) -> int:
    version = importlib.metadata.version("django")
    source = fetch_sdist(f"django=={version}", directory)
    worst = 0

    for middleware in ("stock", "ours"):
        sys.stdout.write(f"\nDjango {version} on {kind}, {middleware} middleware\n")
        sys.stdout.flush()

        with store_url(kind) as url:
            environ = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
                "SESSIONKIT_SUITE_STORE": url,
                "SESSIONKIT_SUITE_MIDDLEWARE": middleware,
            }
            command = [sys.executable, "runtests.py", "--settings=django_settings", "--parallel=1"]
            command += [*arguments, *LABELS]
            run = subprocess.run(command, cwd=source / "tests", env=environ, check=False)
            worst = max(worst, run.returncode)

    return worst


if __name__ == "__main__":
    if sys.argv[1:2] not in (["sqlite"], ["redis"], ["model"]) or len(sys.argv) < 3:
        sys.exit(__doc__)

    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
