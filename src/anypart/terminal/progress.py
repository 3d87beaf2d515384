"""Live progress of a fit: a table that redraws itself, or plain lines in a log."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from anypart.base.written import number, shares
from anypart.terminal.screen import bar, duration, grid, print_json, screen

if TYPE_CHECKING:
    from rich.table import Table

SECONDS_BETWEEN_LINES = 10.0


@dataclass
class _Line:
    """What is known about one member."""

    share: float
    log_lik: float | None
    done: bool = False


class FitProgress:
    """Draws the events of a fit, as a context: it ends drawing when the fit ends.

    Args:
        folder: where the fit is saved, for the message about going on after Ctrl-C.
        as_json: print each event as a line of JSON instead.

    """

    def __init__(self, folder: str, *, as_json: bool = False) -> None:
        self._folder = folder
        self._as_json = as_json
        self._live: Any = None
        self._lines: dict[str, _Line] = {}
        self._title = "Reading the table"
        self._seconds_left: float | None = None
        self._warnings: list[str] = []
        self._told = -SECONDS_BETWEEN_LINES
        self._began = time.monotonic()

    def __enter__(self) -> FitProgress:
        if not self._as_json and sys.stdout.isatty():
            from rich.live import Live

            # Gone at the end: `show_end` prints the last state whole, however tall it is.
            self._live = Live(self.table(), console=screen(), refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()
        if kind is KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Stopped. What was learned is kept beside {self._folder}; run the same command "
                "again to go on from there."
            ) from None

    def on_event(self, event: Any) -> None:
        """Take an event of `optim.events`, or `fitting.Prepared`, and draw it."""
        name = type(event).__name__
        if self._as_json:
            print_json({"event": name.lower(), **asdict(event)})
            return
        getattr(self, f"_on_{name.lower()}")(event)
        if self._live:
            self._live.update(self.table())

    def show_end(self, fitted: Any) -> None:
        """Say what was saved and what can be asked of it."""
        weights = fitted.metadata.get("weights", {})
        questions = fitted.metadata.get("questions", {})
        if self._as_json:
            levels = dict(fitted.metadata.get("valid_log_lik", {}))
            saved = {"event": "saved", "folder": self._folder, "valid_log_lik": levels}
            asked = {text: dict(own) for text, own in questions.items()}
            print_json(saved | {"weights": dict(weights), "questions": asked})
            return
        if self._live:
            screen().print(self.table())
            print(*self._warnings, sep="\n", end="\n" if self._warnings else "")
        print(f"Saved to {self._folder}: {shares(weights)}.")
        for text, own in questions.items():
            print(f"  {text}: {shares(own)}")
        print(f"Ask it: anypart ask {self._folder} COLUMN --given 'OTHER = value'")

    def _on_prepared(self, event: Any) -> None:
        again = "Going on with" if event.resumed else "Fitting"
        self._title = (
            f"{again} {event.table}: {event.n_rows:,} rows, {event.n_cols} columns modelled"
        )
        self._lines |= {name: _Line(0.0, None) for name in event.members}
        self._say(self._title)

    def _on_progress(self, event: Any) -> None:
        share = event.step / max(event.steps, 1)
        self._lines[event.member] = _Line(share, event.log_lik)
        self._seconds_left = event.seconds_left
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            level = "" if event.log_lik is None else f", {event.log_lik:.3f} nats per row"
            left = duration(event.seconds_left)
            self._say(f"  {event.member}: {share:.0%}{level}; about {left} left")

    def _on_finished(self, event: Any) -> None:
        self._lines[event.member] = _Line(1.0, event.log_lik, done=True)
        self._say(f"  {event.member}: done, {event.log_lik:.3f} nats per row")

    def _on_warned(self, event: Any) -> None:
        self._warnings.append(f"{event.member}: {event.text}")
        self._say(f"  {self._warnings[-1]}")

    def _on_combined(self, event: Any) -> None:
        self._lines["all together"] = _Line(1.0, event.log_lik, done=True)
        self._seconds_left = None
        took = duration(time.monotonic() - self._began)
        self._title = f"{self._title}, {took}"
        self._say(f"  all together: {event.log_lik:.3f} nats per row, after {took}")

    def _say(self, line: str) -> None:
        if not self._live:
            print(line, flush=True)

    def table(self) -> Table:
        """Draw what is known now."""
        left = self._seconds_left
        caption = "Higher is better."
        if left is not None:
            caption = f"About {duration(left)} left. Ctrl-C stops; the same command goes on."
        drawn = grid(self._title, caption)
        drawn.add_column("model")
        drawn.add_column("progress", width=24)
        drawn.add_column("validation rows, nats per row", justify="right")
        for name, line in self._lines.items():
            done = "done" if line.done else bar(line.share)
            level = number(line.log_lik) if line.log_lik is None else f"{line.log_lik:.3f}"
            drawn.add_row(name, done, level, style="bold" if name == "all together" else "")
        return drawn
