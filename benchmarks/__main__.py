"""What a session costs: with sessionkit, with its peers, and with the raw client alone.

    make bench                          all of it; writes docs/performance.md and its plots
    make bench QUICK=1                  a first impression in two minutes
    make bench STORE=redis SCENARIO=read,write

The environment that is measured in makes itself, from requirements/bench.txt.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from benchmarks import environment

    if not environment.is_inside():
        environment.enter("benchmarks", sys.argv[1:])
    from benchmarks.command import main

    sys.exit(main(__doc__ or ""))
