"""`anypart study growth`, `costs`, `classify`, `copies` and `operations`: objects measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from anypart.terminal.options import AsJson
from anypart.terminal.output import check_output
from anypart.terminal.study.python import deliver

Page = Annotated[Path | None, Parameter(name=["--output", "-o"], negative=())]


def growth(
    kind: str = "list",
    /,
    *,
    n: Annotated[int, Parameter(name=["--items", "-n"])] = 100,
    output: Page = None,
    json: AsJson = False,
) -> None:
    """Show how a container takes memory as items are added one by one.

    Args:
        kind: list, tuple, dict, set or bytearray.
        n: how many items.
        output: an HTML page with the stairs drawn.
        json: print JSON, for programs.

    """
    from anypart.lens.python import growth as measure
    from anypart.studio.python_tables import growth_page

    check_output(output, page=True)
    found = measure(kind, n)
    deliver(found, output, json, lambda: growth_page(found))


def costs(
    *,
    seconds: float = 2.0,
    n: Annotated[int, Parameter(name=["--items", "-n"])] = 100_000,
    output: Page = None,
    json: AsJson = False,
) -> None:
    """Time lists, tuples and generators at the same work, and show the bytecode that says why.

    Args:
        seconds: to spend, about.
        n: items of the longest list that is held against a generator.
        output: an HTML page.
        json: print JSON, for programs.

    """
    from anypart.lens.python import costs as measure
    from anypart.studio.python_tables import costs_page

    check_output(output, page=True)
    found = measure(seconds, n)
    deliver(found, output, json, lambda: costs_page(found))


def classify(expression: str, /, *, output: Page = None, json: AsJson = False) -> None:
    """Find out by trying whether an object is iterable, an iterator, mutable, hashable.

    Args:
        expression: Python that gives the object: '(1, [2])', "iter('ab')", 'range(3)'. It is
            evaluated here, unconfined, like anything one types.
        output: an HTML page with all that was tried.
        json: print JSON, for programs.

    """
    from anypart.lens.python import classify as find_out
    from anypart.studio.python_tables import classified_page

    check_output(output, page=True)
    make = _maker(expression)
    found = find_out(make(), make)
    deliver(found, output, json, lambda: classified_page(found))


def copies(expression: str, /, *, output: Page = None, json: AsJson = False) -> None:
    """Show what an assignment, a slice, a copy and a deep copy share with the original.

    Args:
        expression: Python that gives the object: '[[1, 2], 3]'. It is evaluated here,
            unconfined, like anything one types.
        output: an HTML page.
        json: print JSON, for programs.

    """
    from anypart.lens.python import copies as compare
    from anypart.studio.python_tables import copies_page

    check_output(output, page=True)
    found = compare(_maker(expression)())
    deliver(_Many(found), output, json, lambda: copies_page(found))


def operations(
    *types: str,
    need: Annotated[list[str] | None, Parameter(negative=())] = None,
    output: Page = None,
    json: AsJson = False,
) -> None:
    """Run every operation on list and tuple (or other types) and show where they differ.

    Args:
        types: names of built-in types, or deque: 'set frozenset'; list and tuple if none.
        need: choose between list and tuple instead: append, change, remove, sort, key, index,
            walk or fixed; again for each.
        output: an HTML page.
        json: print JSON, for programs.

    """
    from anypart.lens.python import operations as run
    from anypart.lens.python import recommend
    from anypart.studio.python_tables import operations_page

    check_output(output, page=True)
    if need:
        advice = recommend(*need)
        deliver(advice, None, json, str)
        return
    found = run(*map(_type, types))
    deliver(found, output, json, lambda: operations_page(found))


@dataclass(frozen=True)
class _Many:
    """Several findings, as one that can be delivered."""

    found: list[Any]

    def __str__(self) -> str:
        return "\n".join(map(str, self.found))

    def to_json(self) -> list[Any]:
        return [one.to_json() for one in self.found]


def _maker(expression: str) -> Callable[[], Any]:
    """Return what evaluates an expression again at each call.

    Raises:
        LensError: no expression, or one that raises.

    """
    from anypart.base.errors import LensError

    try:
        code = compile(expression, "<expression>", "eval")
        eval(code, {})
    except Exception as error:
        raise LensError(
            f"{expression!r} gives no object: {type(error).__name__}: {error}. Write an "
            "expression, as in '(1, [2])'."
        ) from None
    return lambda: eval(code, {})


def _type(name: str) -> Callable[[Any], Any]:
    import builtins
    from collections import deque

    from anypart.base.errors import LensError, suggest

    known = {k: v for k, v in vars(builtins).items() if isinstance(v, type)} | {"deque": deque}
    if name not in known:
        raise LensError(f"there is no built-in type {name!r}.{suggest(name, known)}")
    return known[name]
