"""`anypart study …`: the study tools, one file a topic."""

from __future__ import annotations

from collections.abc import Callable

from cyclopts import App

from anypart.terminal.study.bias import bias
from anypart.terminal.study.distance import distance
from anypart.terminal.study.gradients import gradients
from anypart.terminal.study.python import generator, python
from anypart.terminal.study.python_objects import classify, copies, costs, growth, operations
from anypart.terminal.study.receptive_field import receptive_field
from anypart.terminal.study.runs import runs
from anypart.terminal.study.self_supervision import self_supervision
from anypart.terminal.study.smoothing import smoothing
from anypart.terminal.study.storage import storage
from anypart.terminal.study.windows import window

study = App(name="study", help="Look into estimators, surrogates, networks, streams and Python.")

_COMMANDS: tuple[Callable[..., None], ...] = (
    gradients,  # estimators against the exact gradient
    *(python, generator, growth, costs, classify, copies, operations),  # Python seen running
    smoothing,  # a function beside its smooth stand-in
    runs,  # of integers and days
    window,  # that covers what is required
    storage,  # what a table costs in each form
    distance,  # between tables and fits
    self_supervision,  # beside supervised and unsupervised, with few labels
    bias,  # what it does, and which ones do nothing
    receptive_field,  # what every layer of a network sees
)
for _command in _COMMANDS:
    study.command(_command)
