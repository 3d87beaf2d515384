"""Scores and dependence on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anypart.base.written import number
from anypart.terminal.screen import bar, grid, print_json, screen

if TYPE_CHECKING:
    from anypart.scores.evaluate import Scores
    from anypart.scores.likelihood import Likelihood


NO_PRIVACY = "--fitted-on TABLE also tells whether drawn rows give away rows that were fitted."


def show_scores(scores: Scores, *, as_json: bool) -> None:
    """Print how good a fit is."""
    if as_json:
        print_json(scores.to_dict())
        return
    from anypart.scores.figures import figures

    show_likelihood(scores.likelihood, scores.n_rows)
    looked = "all" if scores.n_looked == scores.n_rows else f"{scores.n_looked:,}"
    drawn = grid(f"On {looked} of these rows", None if scores.privacy else NO_PRIVACY)
    drawn.add_column("score", overflow="fold")
    drawn.add_column("found", justify="right")
    drawn.add_column("best, or if right", justify="right")
    group = ""
    for line in figures(scores):
        if line.group != group:
            drawn.add_section()
            drawn.add_row(line.group, style="bold")
            group = line.group
        drawn.add_row(f"  {number(line.name)}", line.found, line.best)
    screen().print(drawn)


def show_likelihood(found: Likelihood, n_rows: int) -> None:
    """Print the likelihood of rows beside its baselines."""
    drawn = grid(
        f"Log-likelihood of {n_rows:,} rows, nats per row",
        "Higher is better: forward KL from the data falls by what the mean rises. Densities are in "
        "the columns' own units.",
    )
    drawn.add_column("model")
    drawn.add_column("mean", justify="right")
    drawn.add_column("the fit is better by", justify="right")
    for name, level in sorted(found.baselines.items(), key=lambda item: item[1].mean):
        gain = f"{level.gain:+.3f} ± {level.gain_standard_error:.3f}"
        drawn.add_row(name.replace("_", " "), f"{level.mean:.3f}", gain)
    fit = f"{found.fit.mean:.3f} ± {found.fit.standard_error:.3f}"
    drawn.add_row("the fit", fit, "", style="bold")
    screen().print(drawn)
    if found.impossible:
        print(f"{found.impossible:,} rows have probability 0 under the fit and are left out.")


def show_pairs(pairs: list[tuple[str, str, float]], top: int, note: str) -> None:
    """Print the pairs of columns that say most about each other.

    Args:
        pairs: (column, column, nats), the strongest first.
        top: how many.
        note: what the numbers are worth.

    """
    drawn = grid("What columns say about each other, nats", note)
    drawn.add_column("column", overflow="fold")
    drawn.add_column("column", overflow="fold")
    drawn.add_column("nats", justify="right")
    drawn.add_column("")
    most = max((nats for *_, nats in pairs), default=1.0) or 1.0
    for one, other, nats in pairs[:top]:
        drawn.add_row(number(one), number(other), f"{nats:.3f}", bar(nats / most))
    screen().print(drawn)
    if len(pairs) > top:
        print(f"… and {len(pairs) - top:,} pairs more. --top {len(pairs)} shows them all.")
