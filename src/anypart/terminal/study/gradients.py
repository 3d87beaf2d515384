"""`anypart study gradients`: estimators of a gradient, measured against the truth."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from anypart.terminal.options import AsJson, Output

if TYPE_CHECKING:
    from anypart.calculus.gradients.judge import Measurement
    from anypart.calculus.gradients.problems import Problem

Estimators = Annotated[list[str] | None, Parameter(name=["--estimator", "-e"], negative=())]


def gradients(
    problem: str = "bits",
    /,
    *,
    estimator: Estimators = None,
    samples: int = 10_000,
    seed: int = 0,
    output: Output = None,
    json: AsJson = False,
) -> None:
    """Measure estimators of the gradient of E[f(z)]: bias, variance, cosine, time, evaluations.

    Args:
        problem: toy, pairs, table, bits, choices, square, sine, step, or a Python file that
            defines p (a family of anypart.calculus.gradients) and f. The file is run.
        estimator: by name, one or more times; all that fit the problem if not given.
        samples: estimates of each. An unbiased one is shown as such at 10,000; --samples 1000000
            looks ten times closer.
        seed: of every draw.
        output: an HTML page with the table and a plot.
        json: print JSON, for programs.

    """
    from anypart.base.errors import DataError
    from anypart.calculus.gradients.catalogue import CATALOGUE
    from anypart.calculus.gradients.problems import find_problem
    from anypart.terminal.screen import print_json

    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"-o {output}: the page is HTML. Name it …html.")
    posed = find_problem(problem)
    found, refused = _measure_all(posed, estimator or list(CATALOGUE), samples, seed)
    if estimator is None:
        refused = {}
    if output is not None:
        _write_page(output, posed, found)
    if json:
        rows = [{**dataclasses.asdict(m), "biased": m.biased} for m in found]
        print_json({"problem": posed.name, "measured": rows, "refused": refused})
        return
    _show(posed, found)
    for name, reason in refused.items():
        print(f"{name}: {reason}")
    if output is not None:
        print(f"Wrote {output}.")


def _measure_all(
    posed: Problem, names: list[str], samples: int, seed: int
) -> tuple[list[Measurement], dict[str, str]]:
    from anypart.base.errors import GradientError
    from anypart.calculus.gradients.catalogue import find_estimator
    from anypart.calculus.gradients.judge import measure

    found: list[Measurement] = []
    refused: dict[str, str] = {}
    made = {name: find_estimator(name, posed.p) for name in names}
    for name, one in made.items():
        try:
            found.append(measure(name, one, posed, samples, seed))
        except GradientError as error:
            refused[name] = str(error)
    if not found:
        raise GradientError(f"None can be measured on {posed.name}: {' '.join(refused.values())}")
    return sorted(found, key=lambda m: m.error), refused


def _show(posed: Problem, found: list[Measurement]) -> None:
    from anypart.terminal.screen import grid, screen

    drawn = grid(
        f"{posed.name}: {posed.about}",
        "Relative to the length of the exact gradient; best first. Bias: of the mean, with its "
        "95 % interval; * significant at one in a thousand.\nError: root mean square of one "
        "estimate; each · is a factor of 1.41. score-mean has the whole batch for its baseline; "
        "vimco is held to its own objective.",
    )
    drawn.add_column("estimator")
    for name in ("evaluations", "bias", "95 % interval", "error", "variance", "cosine", "µs"):
        drawn.add_column(name, justify="right")
    drawn.add_column("error, log scale")
    for m in found:
        drawn.add_row(*cells(m), _dots(m.error, found))
    screen().print(drawn)
    wrong = [m.estimator for m in found if m.biased and m.unbiased]
    if wrong:
        print(f"Claimed unbiased, measured otherwise: {', '.join(wrong)}.")


def cells(m: Measurement) -> tuple[str, ...]:
    """Write a measurement as the words of a row."""
    mark = "*" if m.biased else ""
    return (
        m.estimator,
        f"{m.evaluations:g}",
        f"{_small(m.bias)}{mark}",
        f"{_small(m.bias_low)} to {_small(m.bias_high)}",
        _small(m.error),
        f"{m.variance:.3g}",
        f"{m.cosine:.3f}",
        f"{m.microseconds:.3g}",
    )


def _small(value: float) -> str:
    return f"{value:.3f}" if value < 100 else f"{value:.3g}"


def _dots(error: float, found: list[Measurement]) -> str:
    least = min((m.error for m in found if m.error > 1e-6), default=1.0)
    return "●" if error <= least else "●" + "·" * min(round(2 * math.log2(error / least)), 40)


def _write_page(path: Path, posed: Problem, found: list[Measurement]) -> None:
    from anypart.base.errors import DataError
    from anypart.studio.gradients import gradient_page

    if not path.parent.is_dir():
        raise DataError(f"-o {path}: there is no folder {path.parent}. Make it first.")
    rows: list[Any] = [cells(m) for m in found]
    marks = [(m.estimator, m.evaluations, m.error, m.bias, m.biased) for m in found]
    path.write_text(gradient_page(posed.name, posed.about, rows, marks), encoding="utf-8")
