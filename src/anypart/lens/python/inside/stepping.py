"""Drives a generator action by action, and tells which lines ran in between."""

from __future__ import annotations

import linecache
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .looks import look
from .tracer import describe

Record = dict[str, Any]
Action = tuple[str, Any]  # next and close take None; send a value; throw an exception
_MOST = 160  # characters of a value
_MOST_LINES = 200  # that are told of one action


def words(value: Any) -> str:
    """Write a value as its own `repr` does, shortened; an error in it is told instead."""
    try:
        text = repr(value)
    except Exception as error:
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def step(
    generator: types.GeneratorType[Any, Any, Any], actions: Iterable[Action]
) -> Iterable[Record]:
    """Take actions one by one until the generator is finished; tell each as a record."""
    for name, given in actions:
        lines: list[tuple[str, int]] = []
        outcome = _take(generator, name, given, lines)
        yield {
            "action": name,
            "given": "" if given is None and name != "send" else words(given),
            "lines": lines[:_MOST_LINES],
            **outcome,
            **_standing(generator),
        }
        if generator.gi_frame is None:
            return


def _take(
    generator: types.GeneratorType[Any, Any, Any],
    name: str,
    given: Any,
    lines: list[tuple[str, int]],
) -> Record:
    do: dict[str, Callable[[], Any]] = {
        "next": lambda: next(generator),
        "send": lambda: generator.send(given),
        "throw": lambda: generator.throw(given),
        "close": generator.close,
    }
    before = sys.gettrace()
    sys.settrace(_recorder(generator.gi_code.co_filename, lines))
    try:
        value = do[name]()
    except StopIteration as stop:
        return {"outcome": "returned", "value": words(stop.value)}
    except BaseException as error:
        return {"outcome": "raised", "value": "", "raised": describe(error)}
    finally:
        sys.settrace(before)
    return {"outcome": "closed" if name == "close" else "yielded", "value": words(value)}


def _recorder(file: str, lines: list[tuple[str, int]]) -> Callable[..., Any]:
    """Return a trace function that writes down the lines of generators of one file."""

    def follow(frame: types.FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != file:
            return None
        if event == "line":
            lines.append((frame.f_code.co_name, frame.f_lineno))
        return follow

    return follow


def _standing(generator: types.GeneratorType[Any, Any, Any]) -> Record:
    """Tell where a generator stands: its state, line, locals, and whom it hands over to."""
    frame, inner = generator.gi_frame, generator.gi_yieldfrom
    state = look(generator).text.partition(": ")[2]
    if frame is None:
        return {"state": state, "line": None, "locals": {}, "inner": None}
    names: Mapping[str, Any] = frame.f_locals
    return {
        "state": state,
        "line": frame.f_lineno,
        "locals": {k: words(v) for k, v in names.items() if not k.startswith(".")},
        "inner": None if inner is None else words_of_inner(inner),
    }


def words_of_inner(inner: Any) -> str:
    """Write what a generator hands over to: another generator and its line, or any iterator."""
    if isinstance(inner, types.GeneratorType):
        return f"{inner.__name__} at line {inner.gi_frame.f_lineno if inner.gi_frame else '–'}"
    return type(inner).__name__


def source_of(code: types.CodeType) -> tuple[str, int]:
    """Return (source of a function, its first line); no source where none is to be had."""
    lines = linecache.getlines(code.co_filename)
    ends = [line for _, _, line in code.co_lines() if line is not None]
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            ends += [line for _, _, line in const.co_lines() if line is not None]
    first = code.co_firstlineno
    return "".join(lines[first - 1 : max([first, *ends])]), first
