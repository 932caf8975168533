"""The store of the documentation passes the check that the page recommends for it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT


def test_the_documented_store_keeps_the_contract(tmp_path: Path) -> None:
    section = (ROOT / "docs" / "stores.md").read_text("utf-8").split("## A store of your own\n")[1]
    examples = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    file = tmp_path / "test_dict_store.py"
    file.write_text("\n".join([*examples, "TestDictStore.rounds = 5\n"]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert re.search(r"(\d+) passed", run.stdout)
