"""``python -m benchmarks.smoothing PART``.

PART is recipe, order_recipe, f1, decide, labels or bleu, in the peers' environment `smoothing`,
or orders, functions or defects, in `sort`, of Python 3.12, which softtorch wants (``python -m
benchmarks.peers make``); without them in the Python of this call.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

from benchmarks.contest import write_result
from benchmarks.data import ROOT
from benchmarks.peers import ONE_THREAD, python_of

ENVIRONMENTS = {
    "recipe": "smoothing",
    "order_recipe": "smoothing",
    "f1": "smoothing",
    "decide": "smoothing",
    "labels": "smoothing",
    "bleu": "smoothing",
    "orders": "sort",
    "functions": "sort",
    "defects": "sort",
}


def main(words: list[str]) -> int:
    """Run one part, in the peers' environment."""
    if not words or words[0] not in ENVIRONMENTS:
        sys.exit(f"Write: python -m benchmarks.smoothing {' | '.join(ENVIRONMENTS)}")
    python = python_of(ENVIRONMENTS[words[0]])
    if python and not os.environ.get("ANYPART_IN_PEERS"):
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        env = {**os.environ, **ONE_THREAD, "PYTHONPATH": path, "ANYPART_IN_PEERS": "1"}
        command = [str(python), "-m", "benchmarks.smoothing", *words]
        return subprocess.run(command, env=env, cwd=ROOT, check=False).returncode
    options: dict[str, int | str] = {}
    if words[1:2] == ["--every"]:
        options = {"every": int(words[2])}
    elif words[1:2] == ["--only"]:
        options = {"only": words[2]}
    lines = import_module(f"benchmarks.smoothing.{words[0]}").run(**options)
    if lines:
        write_result(f"smoothing_{words[0]}", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
