"""`anypart study python` and its kin: snippets, generators and objects seen running."""

from __future__ import annotations

import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from anypart.terminal.options import AsJson, File
from anypart.terminal.output import check_output

Page = Annotated[Path | None, Parameter(name=["--output", "-o"], negative=())]
Interpreter = Annotated[str, Parameter(name="--with")]


def python(
    file: File | None = None,
    /,
    *,
    example: str | None = None,
    output: Page = None,
    steps: int = 1000,
    seconds: float = 10.0,
    memory_mb: int = 512,
    stdin: str = "",
    interpreter: Interpreter = "",
    json: AsJson = False,
) -> None:
    """Run a Python file and show every step: what names lead to, what changed, what it printed.

    It runs in a process of its own that may read and write nothing but a temporary folder
    and has limits on time and memory. That is for mistakes, not for code that means harm.

    Args:
        file: Python source, - for standard input; the list of examples if not given.
        example: one of the classic snippets instead of a file.
        output: an HTML page with a slider over the steps.
        steps: that are followed.
        seconds: that it may take.
        memory_mb: memory that it may take, in 2^20 bytes.
        stdin: what input() reads.
        interpreter: the Python to run it with, 3.11 or later; this one if not given.
        json: print JSON, for programs.

    """
    from anypart.base.errors import LensError
    from anypart.lens.python import Limits, watch
    from anypart.lens.python.classics import classics

    if file is None and example is None:
        for one in classics().values():
            print(f"{one.name:24} {one.title}")
        print("\nSee one: anypart study python --example NAME; your own: anypart study python FILE")
        return
    title, source = _source(file, example)
    check_output(output, page=True)
    limits = Limits(steps, seconds, memory_mb)
    trace = watch(source, limits=limits, stdin=stdin, python=interpreter)
    if trace.ended == "syntax":
        raise LensError(f"{title} is no Python. {trace.raised}".replace("<snippet>", title))
    from anypart.studio.python_trace import trace_page

    deliver(trace, output, json, lambda: trace_page(trace, title))


def generator(
    expression: str,
    file: File | None = None,
    /,
    *,
    example: str | None = None,
    do: Annotated[list[str] | None, Parameter(negative=())] = None,
    output: Page = None,
    interpreter: Interpreter = "",
    json: AsJson = False,
) -> None:
    """Step a generator: which lines each next, send, throw or close ran, and what came of it.

    Args:
        expression: gives the generator: 'fib(6)', or '(n * n for n in range(3))'.
        file: Python source that is run first, - for standard input.
        example: one of the classic snippets instead of a file.
        do: an action, again for each: next, 'send 5', "throw ValueError('x')", close; next
            until the end if not given.
        output: an HTML page with a slider over the actions.
        interpreter: the Python to run it with; this one if not given.
        json: print JSON, for programs.

    """
    from anypart.lens.python import step_expression
    from anypart.studio.python_tables import generator_page

    check_output(output, page=True)
    source = _source(file, example)[1] if file or example else ""
    trace = step_expression(source, expression, do or (), python=interpreter)
    deliver(trace, output, json, lambda: generator_page(trace))


def _source(file: File | None, example: str | None) -> tuple[str, str]:
    from anypart.base.errors import LensError
    from anypart.lens.python.classics import classic

    if example is not None:
        if file is not None:
            raise LensError(f"both {file} and --example {example} were given. Give one of them.")
        one = classic(example)
        return one.title.replace("`", ""), one.source
    if file == "-":
        return "standard input", sys.stdin.read()
    try:
        with tokenize.open(str(file)) as source:  # as the interpreter reads it
            return Path(str(file)).name, source.read()
    except (UnicodeDecodeError, SyntaxError) as error:
        raise LensError(
            f"{file} is no Python source: its text is not in the encoding that it names, or else "
            f"in UTF-8 ({error})."
        ) from None


def deliver(found: Any, output: Path | None, as_json: bool, make_page: Callable[[], str]) -> None:
    """Hand over what was found: as a page, as JSON, or as text.

    Args:
        found: has `to_json` and `__str__`.
        output: where the page is written; none if None.
        as_json: print JSON: what was found, or what was written.
        make_page: gives the page.

    """
    if output:
        from anypart.base.whole import replacing
        from anypart.terminal.show_rows import tell_written

        with replacing(output) as part:
            part.write_text(make_page(), encoding="utf-8")
        tell_written(output, None, as_json=as_json)
    elif as_json:
        from anypart.terminal.screen import print_json

        print_json(found.to_json())
    else:
        # What may hold a snippet's own strings: no escape code reaches the terminal.
        for line in str(found).splitlines():
            print("".join(c if c.isprintable() else "�" for c in line))
