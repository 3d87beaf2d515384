"""`anypart study …`: the study tools, one file a topic."""

from __future__ import annotations

from collections.abc import Callable

from cyclopts import App

from anypart.terminal.study.python import python
from anypart.terminal.study.receptive_field import receptive_field

study = App(name="study", help="Look into estimators, surrogates, networks, streams and Python.")

_COMMANDS: tuple[Callable[..., None], ...] = (
    python,  # a snippet, step by step
    receptive_field,  # what every layer of a network sees
)
for _command in _COMMANDS:
    study.command(_command)
