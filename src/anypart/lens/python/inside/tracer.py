"""Follows a snippet as it runs: after each line, what each name leads to and what changed.

A step is what ran between two events of the interpreter's trace function: to the next line,
into a call, to a return, a yield or an exception. Only the snippet's own code is followed,
also where a library calls it.
"""

from __future__ import annotations

import opcode
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from .graph import Met, Moments, Record, key
from .kinds import of_type, type_name
from .looks import ATOMS, MOST_TEXT, short

NAME = "<snippet>"
_YIELDS = opcode.opmap["YIELD_VALUE"]
_RESUME = opcode.opmap["RESUME"]
_RETURNS = {opcode.opmap[n] for n in ("RETURN_VALUE", "RETURN_CONST") if n in opcode.opmap}
_LOOPS = {opcode.opmap[n] for n in ("FOR_ITER", "SEND") if n in opcode.opmap}
_INLINED = ("<listcomp>", "<setcomp>", "<dictcomp>")  # frames of their own in 3.11 only
_NAMES = """
__annotations__ __class__ __classcell__ __classdict__ __classdictcell__ __firstlineno__
__module__ __qualname__ __static_attributes__ __type_params__
"""
_OF_FUNCTION = 1  # a flag of code: its names are the interpreter's to hold
_COMPILER = frozenset(_NAMES.split())  # names that nobody wrote
HEADROOM = 120  # calls that the tracer itself may nest below the snippet's deepest
_set_limit = sys.setrecursionlimit  # the snippet's `sys` gets another
_OUTER, _INNER = 5, 25  # frames that are told of a deeper stack
Place = tuple[int, int]  # (frame's number, line)


class Tracer:
    """The trace function, and the steps it tells.

    Args:
        emit: takes one step at a time.
        hidden: names of the snippet's module that are not its own.
        hold: as in `graph.Numbers`.
        output: returns what was printed since it was last asked.

    """

    def __init__(
        self,
        emit: Callable[[Record], None],
        hidden: frozenset[str],
        hold: bool,
        output: Callable[[], str],
    ) -> None:
        self._emit, self._hidden, self._output = emit, hidden, output
        self._moments = Moments(hold)
        self._frames: dict[int, int] = {}  # address of a living frame → its number
        self._n_frames = 0
        self._names: dict[int, dict[str, int]] = {}  # frame's number → name → thing's number
        self._place: Place | None = None
        self.finished = False  # the snippet's last line has run
        self._left_module = False
        self.busy = False  # the trace function is being put back, by no call of the snippet's
        self.most_depth = sys.getrecursionlimit()
        self._depth = 0
        self._error: Record = {}  # what was raised last
        self._raising = 0  # the address of a frame that an exception is leaving

    def start(self, frame: types.FrameType, event: str, _: Any) -> Any:
        """Decide whether a new frame is followed: the snippet's own, nothing else."""
        code = frame.f_code
        if self.finished or event != "call" or code.co_filename != NAME or code.co_name in _INLINED:
            return None
        if self._depth >= self.most_depth:
            self._overflow()
        self._depth += 1
        resumed = _at_yield(frame)
        if not (resumed and id(frame) in self._frames):
            self._n_frames += 1
            self._frames[id(frame)] = self._n_frames
        number = self._frames[id(frame)]
        if self._place is not None:
            self._step(frame, "resume" if resumed else "call")
        # What runs before a function's first line is nothing that a person wrote.
        self._place = (number, frame.f_lineno) if resumed else None
        return self._follow

    def _follow(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        if self.finished:
            return None
        if event == "line":
            if self._place is not None:
                self._step(frame, "line")
            self._raising = 0
            self._place = (self._number(frame), frame.f_lineno)
        elif event == "exception":
            if not (issubclass(arg[0], StopIteration) and _op(frame) in _LOOPS):
                self._error = describe(arg[1])
                self._step(frame, "exception", raised=self._error)
                self._raising = id(frame)
        elif event == "return":
            self._leave(frame, arg)
        return self._follow

    def _overflow(self) -> None:
        """Raise what the interpreter would at this depth, had it not to trace as well.

        An error in a trace function takes the trace function away; the profile function
        stays, hears of the frames that the error leaves, and puts it back.
        """
        self.busy = True
        sys.setprofile(self._revive)
        raise RecursionError("maximum recursion depth exceeded")

    def _revive(self, frame: types.FrameType, event: str, _: Any) -> None:
        sys.setprofile(None)
        sys.settrace(self.start)
        self.busy = False
        if event == "return" and id(frame) in self._frames:  # its own return went untold
            self._error = {"type": "RecursionError", "message": "maximum recursion depth exceeded"}
            self._raising = id(frame)
            self._leave(frame, None)

    def limit_depth(self, most: int) -> None:
        """Let calls nest as deep as the snippet asks, and the tracer a little deeper."""
        if type(most) is not int or most < 1:
            return _set_limit(most)  # the interpreter's own error
        _set_limit(most + HEADROOM)
        self.most_depth = most

    def _leave(self, frame: types.FrameType, value: Any) -> None:
        self._depth -= 1
        ends = _op(frame)
        if _at_yield(frame) and self._raising != id(frame):
            self._step(frame, "yield", value=value)
        else:
            if ends in _RETURNS and frame.f_code.co_name == "<module>":
                self._step(frame, "end")
            elif ends in _RETURNS:
                self._step(frame, "return", value=value)
            elif self._raising != id(frame):  # the last line of a `finally`, and out
                self._step(frame, "exception", raised=self._error)
            self._names.pop(self._frames.pop(id(frame), 0), None)
        caller = self._caller(frame)
        self._place = (self._number(caller), caller.f_lineno) if caller else None
        self._left_module |= frame.f_code.co_name == "<module>"

    def lost(self) -> bool:
        """Say whether the interpreter stopped calling before the snippet's end."""
        return not self._left_module

    def _caller(self, frame: types.FrameType) -> types.FrameType | None:
        above = frame.f_back
        while above is not None and id(above) not in self._frames:
            above = above.f_back
        return above

    def _number(self, frame: types.FrameType) -> int:
        return self._frames.get(id(frame), 0)

    def _step(self, frame: types.FrameType, event: str, **more: Any) -> None:
        stack = [one for one in _stack(frame) if id(one) in self._frames]
        if len(stack) > _OUTER + _INNER:
            stack = stack[:_OUTER] + stack[-_INNER:]
        names = {self._number(one): self._names_of(one) for one in stack}
        roots = [value for held in names.values() for value in held.values()]
        if "value" in more:
            roots.append(more["value"])
        met, fresh, changes = self._moments.take(roots)
        seen = {k: _numbered(met, held) for k, held in names.items()}
        changes = self._name_changes(seen) + changes
        self._names |= seen
        here = (self._number(frame), frame.f_lineno)
        place, output = self._place or here, self._output()
        quiet = place == here or self._raising == id(frame)
        if event == "line" and quiet and not (changes or output):
            return  # a loop on one line, or the way to a handler, and nothing to be seen
        step: Record = {
            "event": event,
            "frame": place[0],
            "line": place[1],
            "frames": [_frame_record(one, self._number(one), seen) for one in stack],
            "fresh": fresh,
            "alive": [number for _, number, _ in met.values()],
            "changes": changes,
            "output": output,
        }
        if "value" in more:
            step["value"] = _number_of(met, more["value"])
        if "raised" in more:
            step["raised"] = more["raised"]
        self._emit(step)

    def _names_of(self, frame: types.FrameType) -> dict[str, Any]:
        module = frame.f_code.co_name == "<module>"
        # To ask a module's frame for f_locals would make 3.12 rebind what comprehensions hide.
        found = frame.f_globals if module else frame.f_locals
        hidden = self._hidden if module else _COMPILER
        return {
            name: value
            for name, value in _items(found, frame)
            if type(name) is str  # others no line can name, and they may have methods of their own
            and not (name in hidden or name in _COMPILER or name.startswith("."))
        }

    def _name_changes(self, seen: dict[int, dict[str, int]]) -> list[Record]:
        changes: list[Record] = []
        for frame, names in seen.items():
            before = self._names.get(frame, {})
            for name, number in names.items():
                old = before.get(name)
                if old != number:
                    what = "bound" if old is None else "rebound"
                    changes.append(
                        {"what": what, "name": name, "frame": frame, "before": old, "thing": number}
                    )
            changes += [
                {"what": "deleted", "name": name, "frame": frame, "before": old, "thing": None}
                for name, old in before.items()
                if name not in names
            ]
        return changes


def _items(names: Any, frame: types.FrameType) -> list[tuple[Any, Any]]:
    """List names and values; none of a class body that holds them in no dict."""
    if issubclass(type(names), dict):
        return list(dict.items(names))
    return list(names.items()) if frame.f_code.co_flags & _OF_FUNCTION else []


def _number_of(met: Met, value: Any) -> int:
    """Return an object's number; 0 for one beyond the most that are looked at."""
    entry = met.get(key(value))
    return entry[1] if entry else 0


def _numbered(met: Met, names: dict[str, Any]) -> dict[str, int]:
    return {name: _number_of(met, value) for name, value in names.items()}


def _frame_record(frame: types.FrameType, number: int, seen: dict[int, dict[str, int]]) -> Record:
    name = frame.f_code.co_qualname
    return {"id": number, "name": name, "line": frame.f_lineno, "names": seen[number]}


def _op(frame: types.FrameType) -> int:
    return frame.f_code.co_code[frame.f_lasti] if frame.f_lasti >= 0 else -1


def _at_yield(frame: types.FrameType) -> bool:
    """Say whether a frame stands where it yields or goes on from a yield.

    It stands on YIELD_VALUE, and on the RESUME after it once it goes on; from 3.13 on always
    on the latter. The two low bits of RESUME are 0 where a function begins.
    """
    ends = _op(frame)
    return ends == _YIELDS or (ends == _RESUME and frame.f_code.co_code[frame.f_lasti + 1] & 3 > 0)


def _stack(frame: types.FrameType | None) -> list[types.FrameType]:
    """Return the snippet's frames, the module's first."""
    found: list[types.FrameType] = []
    while frame is not None:
        if frame.f_code.co_filename == NAME:
            found.append(frame)
        frame = frame.f_back
    return found[::-1]


def describe(error: BaseException) -> Record:
    """Say what an exception is; its `__str__` runs only if it is a built-in one.

    Example:
        >>> describe(KeyError("a"))
        {'type': 'KeyError', 'message': "'a'"}

    """
    kind = type(error)
    args = BaseException.__dict__["args"].__get__(error)
    bases = of_type(kind, "__mro__")
    words = next(base for base in bases if "__str__" in of_type(base, "__dict__"))
    if of_type(words, "__module__") == "builtins" and all(type(one) in ATOMS for one in args):
        message = str(error)[: 4 * MOST_TEXT]
    elif words is SyntaxError and args and type(args[0]) is str:
        where = of_type(SyntaxError, "__dict__")["lineno"].__get__(error)
        message = args[0] + (f", line {where}" if type(where) is int else "")
    else:
        message = ", ".join(map(short, args))
    return {"type": type_name(kind), "message": message}


def code_names(code: types.CodeType) -> Iterator[str]:
    """List the global and attribute names that code and the code in it mention."""
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from code_names(const)
