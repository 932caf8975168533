"""``python -m demo``: serve the demo on this machine."""

from __future__ import annotations

import argparse
import os

from werkzeug.serving import run_simple

from .application import build


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument(
        "--store",
        default=os.environ.get("STORE") or "sqlite:///demo.sqlite3",
        help="URL of the session store (default: %(default)s)",
    )
    options = parser.parse_args()
    print(f"The demo is on http://{options.host}:{options.port}/ (Ctrl-C ends it)", flush=True)
    run_simple(options.host, options.port, build(options.store), threaded=True)


if __name__ == "__main__":
    main()
