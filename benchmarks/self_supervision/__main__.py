"""`python -m benchmarks.self_supervision [PART [SET …]]`: policies, letters, asked, probes.

What was measured is kept in benchmarks/results/self_supervision.json; each run of a part
measures what it is asked for again and writes self_supervision.md from all there is. Under
"notes" stands what is to be said of a part that older code has measured; measuring all of its
sets takes the note away.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.contest import write_result
from benchmarks.self_supervision import asked, letters, policies, probes

PARTS = {"policies": policies, "letters": letters, "asked": asked, "probes": probes}
KEPT = Path(__file__).parents[1] / "results" / "self_supervision.json"


def main() -> None:
    """Measure the parts named, all if none is."""
    named = [sys.argv[1]] if len(sys.argv) > 1 else list(PARTS)
    if unknown := [n for n in named if n not in PARTS]:
        sys.exit(f"There is no part {unknown[0]!r}; there are {', '.join(PARTS)}.")
    for part in named:
        whole = not sys.argv[2:]
        for name in sys.argv[2:] or PARTS[part].SETS:
            found = PARTS[part].measure(name)
            # Read again: another part of the run may have written meanwhile.
            results = json.loads(KEPT.read_text()) if KEPT.exists() else {}
            results[part] = results.get(part, {}) | {name: found}
            if whole and name == PARTS[part].SETS[-1]:
                results.get("notes", {}).pop(part, None)
            KEPT.write_text(json.dumps(results, indent=1))
            write_result("self_supervision", _text(results))


def _text(results: dict[str, Any]) -> list[str]:
    text = ["# Self-supervision", ""]
    for part, module in PARTS.items():
        if part in results:
            text += [*module.report(results[part]), ""]
            if note := results.get("notes", {}).get(part):
                text += [note, ""]
    return text


if __name__ == "__main__":
    main()
