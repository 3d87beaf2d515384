"""`anypart study smoothing`: a function and its smooth stand-in, side by side with the bound."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from anypart.terminal.options import AsJson

_TEMPERATURES = (1.0, 0.1, 0.01)
_OPTIONS = {
    "clip": ("low", "high"),
    "greater": ("than",),
    "quantile": ("q",),
    "top_k": ("k",),
    "top_k_mask": ("k",),
}


def smoothing(
    function: str,
    /,
    *values: Annotated[float, Parameter(allow_leading_hyphen=True)],
    temperature: Annotated[list[float] | None, Parameter(name=["--temperature", "-t"])] = None,
    k: int | None = None,
    q: float | None = None,
    low: float | None = None,
    high: float | None = None,
    than: float | None = None,
    json: AsJson = False,
) -> None:
    """Show a function, its smooth stand-in, how far apart they are, and how far they can be.

    anypart study smoothing max 2 1 4 5 3
    anypart study smoothing top_k_mask 3 2 1 4 --k 2 -t 1 -t 0.1

    Args:
        function: max, min, abs, clip, step, greater, sign, floor, round, argmax,
            one_hot_argmax, top_k, top_k_mask, sort, rank, quantile or median.
        values: what it is applied to.
        temperature: may be repeated; 1, 0.1 and 0.01 if not given.
        k: how many, of top_k and top_k_mask.
        q: level of a quantile, from 0 to 1.
        low: end of clip.
        high: end of clip.
        than: what greater compares with.
        json: print JSON, for programs.

    """
    import torch

    from anypart.base.errors import QuestionError, suggest
    from anypart.calculus import smoothing as library
    from anypart.terminal.screen import print_json

    names = [n for n in library.__all__ if isinstance(getattr(library, n), library.Smooth)]
    if function not in names:
        raise QuestionError(
            f"There is no smooth {function!r}.{suggest(function, names)} "
            f"There are {', '.join(names)}."
        )
    if not values:
        raise QuestionError(f"Give {function} values, as: anypart study smoothing {function} 3 1 2")
    given = {"k": k, "q": q, "low": low, "high": high, "than": than}
    asked = _options(function, given)
    call: Any = getattr(library, function)
    x = torch.tensor(values, dtype=torch.float64)
    hard = call(x, 0, **asked)
    lines = list[dict[str, Any]]()
    for t in temperature or _TEMPERATURES:
        soft = call(x, t, **asked)
        bound = call.bound(x, t, **asked).expand_as(hard)
        off = (soft - hard).abs()
        worst = {"off": off.max().item(), "bound": bound.max().item()}
        lines.append({"temperature": t, "soft": soft.tolist(), **worst})
    found = {"function": function, "values": list(values), "hard": hard.tolist(), "soft": lines}
    if json:
        print_json(found)
    else:
        _show(found)


def _options(function: str, given: dict[str, Any]) -> dict[str, Any]:
    from anypart.base.errors import QuestionError

    wanted = _OPTIONS.get(function, ())
    for name, value in given.items():
        if name in wanted and value is None:
            raise QuestionError(f"{function} needs --{name}.")
        if name not in wanted and value is not None:
            raise QuestionError(f"{function} has no --{name}.")
    return {name: given[name] for name in wanted}


def _show(found: dict[str, Any]) -> None:
    from anypart.base.written import number
    from anypart.terminal.screen import grid, screen

    drawn = grid(f"{found['function']} of {_spell(found['values'])}")
    for name in ("temperature", "value", "off by", "never more than"):
        drawn.add_column(name, justify="right" if name != "value" else "left")
    drawn.add_row("hard", _spell(found["hard"]), "", "")
    for line in found["soft"]:
        apart = (number(float(f"{line[part]:.3g}")) for part in ("off", "bound"))
        drawn.add_row(number(line["temperature"]), _spell(line["soft"]), *apart)
    screen().print(drawn)


def _spell(values: Any) -> str:
    each = values if isinstance(values, list) else [values]
    return " ".join(f"{v:.4f}".rstrip("0").rstrip(".") for v in each)
