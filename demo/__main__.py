"""``python -m demo``: serve the demo on this machine."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys

from werkzeug.serving import make_server

from sessionkit.errors import ConfigurationError

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

    try:
        application = build(options.store)
    except ConfigurationError as error:
        sys.exit(f"STORE: {error}")

    with _listen(options.host, options.port) as listener:
        server = make_server(
            options.host, options.port, application, threaded=True, fd=listener.fileno()
        )

    print(f"The demo is on http://{options.host}:{server.port}/ (Ctrl-C ends it)", flush=True)
    server.serve_forever()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        sys.exit(
            f"Cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}. "
            f"Try another port: make demo PORT={port + 1}"
        )
    except OverflowError as error:
        sys.exit(f"PORT: {error}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
