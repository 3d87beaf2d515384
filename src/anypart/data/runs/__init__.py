"""Runs of consecutive integers in unordered values: dense keys, days without a gap."""

from anypart.data.runs.find import longest_run, runs
from anypart.data.runs.groups import longest_runs
from anypart.data.runs.run import Run, Runs
from anypart.data.runs.stream import RunStream
from anypart.data.runs.trace import RunTrace, count_steps, trace_run

__all__ = [
    "Run",
    "RunStream",
    "RunTrace",
    "Runs",
    "count_steps",
    "longest_run",
    "longest_runs",
    "runs",
    "trace_run",
]
