"""`python -m benchmarks.self_supervision [PART [SET …]]`: parts policies, letters, probes.

What was measured is kept in the benchmarks' work folder; each run of a part measures what
it is asked for again and writes benchmarks/results/self_supervision.md from all there is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.contest import work_folder, write_result
from benchmarks.self_supervision import letters, policies, probes

PARTS = {"policies": policies, "letters": letters, "probes": probes}


def main() -> None:
    """Measure the parts named, all if none is."""
    named = [sys.argv[1]] if len(sys.argv) > 1 else list(PARTS)
    if unknown := [n for n in named if n not in PARTS]:
        sys.exit(f"There is no part {unknown[0]!r}; there are {', '.join(PARTS)}.")
    folder = work_folder("self_supervision")
    folder.mkdir(parents=True, exist_ok=True)
    for part in named:
        path = folder / f"{part}.json"
        for name in sys.argv[2:] or PARTS[part].SETS:
            found = PARTS[part].measure(name)
            # Read again: another part of the run may have written meanwhile.
            results = json.loads(path.read_text()) if path.exists() else {}
            path.write_text(json.dumps(results | {name: found}))
            write_result("self_supervision", _text(folder))


def _text(folder: Path) -> list[str]:
    text = ["# Self-supervision", ""]
    for part, module in PARTS.items():
        path = folder / f"{part}.json"
        if path.exists():
            text += [*module.report(json.loads(path.read_text())), ""]
    return text


if __name__ == "__main__":
    main()
