"""Scores and dependence on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anypart.terminal.screen import bar, grid, number, print_json, screen

if TYPE_CHECKING:
    from anypart.scores.evaluate import Scores
    from anypart.scores.likelihood import Likelihood


def show_scores(scores: Scores, *, as_json: bool) -> None:
    """Print how good a fit is."""
    if as_json:
        print_json(scores.to_dict())
        return
    show_likelihood(scores.likelihood, scores.n_rows)
    drawn = grid(f"On {scores.n_looked:,} of these rows")
    drawn.add_column("score")
    drawn.add_column("found", justify="right")
    drawn.add_column("best", justify="right")
    for line in _figures(scores):
        drawn.add_row(*line)
    screen().print(drawn)


def show_likelihood(found: Likelihood, n_rows: int) -> None:
    """Print the likelihood of rows beside its baselines."""
    drawn = grid(
        f"Log-likelihood of {n_rows:,} rows, nats per row",
        "Higher is better; densities are in the columns' own units.",
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


def _figures(scores: Scores) -> list[tuple[str, str, str]]:
    """Return (score, found, best), what could not be measured left out."""
    hidden, met, same = scores.imputation, scores.calibration, scores.consistency
    lines: list[tuple[str, float | None, str, str]] = [
        ("hidden categories found again", hidden.accuracy, "{:.1%}", "100 %"),
        ("their log-loss, nats", hidden.log_loss, "{:.3f}", "0"),
        ("hidden numbers: root-mean-square error / spread", hidden.rmse, "{:.3f}", "0"),
        ("hidden numbers: mean absolute error / spread", hidden.mae, "{:.3f}", "0"),
        ("calibration error of categories", met.categorical_error, "{:.3f}", "0"),
        (f"numbers inside their {met.interval:.0%} interval", met.coverage, "{:.1%}", "90 %"),
        ("two orders of one question: mean distance", same.order_mean, "{:.1e}", "0"),
        ("two orders of one question: 99th percentile", same.order_p99, "{:.1e}", "0"),
        ("answers that are exact", same.exact, "{:.0%}", "100 %"),
    ]
    if drawn := scores.fidelity:
        lines += [
            ("drawn rows: shapes of columns", drawn.shapes, "{:.3f}", "1"),
            ("drawn rows: trends of pairs", drawn.trends, "{:.3f}", "1"),
            ("drawn rows: told from real ones (area under the curve)", drawn.c2st, "{:.3f}", "0.5"),
        ]
    figures = [(name, form.format(x), best) for name, x, form, best in lines if x is not None]
    if chains := scores.autoregression:
        words = "chains proved autoregressive on their weights"
        figures.append((words, str(chains.proved), str(chains.chains)))
    if latent := scores.components:
        words = "latent mixtures proved products over columns at every point"
        figures.append((words, str(latent.proved), str(latent.mixtures)))
    return figures


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
