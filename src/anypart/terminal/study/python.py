"""`anypart study python` and its kin: snippets, generators and objects seen running."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anypart.terminal.options import AsJson

Page = Annotated[Path | None, Parameter(name=["--output", "-o"], negative=())]
Interpreter = Annotated[str, Parameter(name="--with")]


def python(
    file: str | None = None,
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
    from anypart.lens.python import Limits, watch
    from anypart.lens.python.classics import classics

    if file is None and example is None:
        for one in classics().values():
            print(f"{one.name:24} {one.title}")
        print("\nSee one: anypart study python --example NAME; your own: anypart study python FILE")
        return
    title, source = _source(file, example)
    _check(output)
    limits = Limits(steps, seconds, memory_mb)
    trace = watch(source, limits=limits, stdin=stdin, python=interpreter)
    if output:
        from anypart.studio.python_trace import trace_page

        _write(output, trace_page(trace, title), as_json=json)
    elif json:
        from anypart.terminal.screen import print_json

        print_json(trace.to_json())
    else:
        _print(str(trace))


def _source(file: str | None, example: str | None) -> tuple[str, str]:
    from anypart.base.errors import LensError
    from anypart.lens.python.classics import classic

    if example is not None:
        if file is not None:
            raise LensError(f"both {file} and --example {example} were given. Give one of them.")
        one = classic(example)
        return one.title, one.source
    if file == "-":
        return "standard input", sys.stdin.read()
    try:
        return Path(str(file)).name, Path(str(file)).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LensError(f"{file} is no text in UTF-8, so it is no Python source.") from None


def _check(output: Path | None) -> None:
    from anypart.base.errors import LensError

    if output is None:
        return
    if output.suffix.lower() not in (".html", ".htm"):
        raise LensError(f"-o {output}: a page's name ends in .html.")
    if not output.absolute().parent.is_dir():
        raise LensError(f"-o {output}: there is no folder {output.parent}. Make it first.")


def _write(output: Path, text: str, *, as_json: bool) -> None:
    from anypart.base.whole import replacing
    from anypart.terminal.show_rows import tell_written

    with replacing(output) as part:
        part.write_text(text, encoding="utf-8")
    tell_written(output, None, as_json=as_json)


def _print(text: str) -> None:
    """Print what may hold a snippet's own strings: no escape code reaches the terminal."""
    for line in text.splitlines():
        print("".join(c if c.isprintable() else "�" for c in line))
