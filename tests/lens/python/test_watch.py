"""Traces of the classic snippets, held against the interpreter itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from anypart.lens.python import watch
from anypart.lens.python.classics import classic, classics
from anypart.studio.python_trace import trace_page

from . import oracle
from .oracle import hold
from .planting import plant

PYTHONS = oracle.interpreters()
CLASSICS = classics()
# The oracle keeps objects, so that none of them ends, and its probes nest a call deeper.
UNLIKE = ("finaliser", "weak-reference", "too-deep")


def test_there_are_enough_snippets_and_each_is_another() -> None:
    assert len(CLASSICS) >= 60
    assert len({one.source for one in CLASSICS.values()}) == len(CLASSICS)


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
@pytest.mark.parametrize("name", [name for name in CLASSICS if name not in UNLIKE])
def test_every_classic_is_traced_as_the_interpreter_tells_it(name: str, python: str) -> None:
    hold(CLASSICS[name].source, python)


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
@pytest.mark.parametrize("name", UNLIKE)
def test_to_watch_moves_no_finaliser_and_no_limit(name: str, python: str) -> None:
    trace = watch(CLASSICS[name].source, python=python)
    assert (trace.output, None) == oracle.run_plainly(CLASSICS[name].source, python)
    assert trace.ended == "finished"


BUGS = {
    "no object is ever seen to change": (
        "graph.py",
        "            if sign == before:\n",
        "            if before is not None:\n",
        "one-list-two-names",
    ),
    "an address is taken for an identity": (
        "graph.py",
        "        if not self._hold:\n",
        "        if True:\n",
        "reuse",
    ),
    "parts are looked at, but not their numbers": (
        "graph.py",
        "met[key(part)][1] if key(part) in met else 0",
        "1",
        "tuple-item-augmented",
    ),
    "a yield is taken for a return": (
        "tracer.py",
        "        if _at_yield(frame) and self._raising != id(frame):",
        "        if False:",
        "generator-pauses",
    ),
    "the caller's place is forgotten": (
        "tracer.py",
        "        self._place = (self._number(caller), caller.f_lineno) if caller else None",
        "        self._place = None",
        "recursion",
    ),
    "exceptions are passed over": (
        "tracer.py",
        '        elif event == "exception":',
        '        elif event == "exceptions":',
        "throw-and-close",
    ),
    "local names are not followed": (
        "tracer.py",
        "found = frame.f_globals if module else frame.f_locals",
        "found = frame.f_globals if module else {}",
        "argument-mutated-or-rebound",
    ),
    "a name that is bound again goes unseen": (
        "tracer.py",
        "                if old != number:",
        "                if old is None:",
        "rebinding-is-not-mutation",
    ),
    "the lens shares its built-in names": (
        "main.py",
        "own.__dict__.update(builtins.__dict__)",
        "own = builtins",
        "built-in-names-replaced",
    ),
    "names that are no text are read": (
        "tracer.py",
        "if type(name) is str  # others",
        "if True  # others",
        "a-name-that-is-no-text",
    ),
    "the end of a finally block is lost": (
        "tracer.py",
        "            elif self._raising != id(frame):  # the last line",
        "            elif False:  # the last line",
        "finally-and-out",
    ),
}
MORE = {
    "built-in-names-replaced": (
        "import builtins, json, os\nkept = builtins.print\n"
        "builtins.print = lambda *a: kept('replaced', *a)\nprint([1])\nbuiltins.print = kept\n"
        "json.dumps = os.write = None\nbuiltins.len = builtins.isinstance = builtins.zip = None\n"
        "a = [2]\na.append(3)\nb = a"
    ),
    "a-name-that-is-no-text": "a = [1]\nglobals()[5] = a\na.append(2)\nb = a",
    "quit": "a = [1]\ntry:\n    exit(3)\nexcept SystemExit as e:\n    b = e.code\nc = a",
    "reuse": (
        "a = []\nfor n in range(6):\n    a = (a := None) or [n, 1000 + n]\n"
        "    b = str(n) * 2\nc = a"
    ),
    "finally-and-out": (
        "def f():\n    try:\n        x = [1]\n        raise ValueError(1)\n    finally:\n"
        "        x = [2]\n        print('finally', x)\ntry:\n    f()\nexcept ValueError as e:\n"
        "    y = 1\nz = 2"
    ),
}


def test_half_a_character_is_printed_as_in_a_terminal_and_shown_as_an_escape() -> None:
    half = "print('\\ud800')"
    assert str(watch(half).raised).startswith("UnicodeEncodeError: 'utf-8' codec can't encode")
    assert oracle.run_plainly(half, sys.executable)[1].startswith("UnicodeEncodeError: 'utf-8'")
    source = (
        "import sys\nclass A: pass\na = A()\nsetattr(a, '\\ud800', '\U0001f600')\n"
        "globals()['b\\udfff'] = [1]\nprint('\\ud801', '\U0001f600', file=sys.stderr)\n"
    )
    trace = watch(source)
    assert trace.output == "\\ud801 \U0001f600\n"
    assert trace.steps[-1].named("b\\udfff").kind == "sequence"
    assert trace.steps[-1].named("a").parts[0][0] == ".\\ud800"
    assert trace_page(trace).encode().count("\U0001f600".encode()) > 1
    json.dumps(trace.to_json(), ensure_ascii=False).encode()
    str(trace).encode()


@pytest.mark.parametrize("name", MORE)
def test_what_the_classics_leave_out_is_traced_too(name: str) -> None:
    hold(MORE[name])


@pytest.mark.parametrize(("file", "right", "wrong", "snippet"), BUGS.values(), ids=BUGS)
def test_the_oracle_bites(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    file: str,
    right: str,
    wrong: str,
    snippet: str,
) -> None:
    plant(monkeypatch, tmp_path, file, right, wrong)
    source = MORE.get(snippet) or classic(snippet).source
    try:
        hold(source)
    except (AssertionError, KeyError):
        return
    pytest.fail("the planted bug went unseen")


def kinds_of_change(source: str) -> list[list[str]]:
    """List, step by step, what changed and where, in words that a person could have written."""
    return [
        [f"{c.what} {c.name or ' '.join(step.names_of(c.thing or 0))}" for c in step.changes]
        for step in watch(source)
    ]


def test_mutated_and_rebound_are_told_apart() -> None:
    source = "a = [1]\nb = a\nb.append(2)\na += [3]\na = a + [4]\nt = (1,)\nt += (2,)\ndel b"
    assert kinds_of_change(source) == [
        ["bound a"],
        ["bound b"],
        ["mutated a b"],
        ["mutated a b"],
        ["rebound a"],
        ["bound t"],
        ["rebound t"],
        ["deleted b"],
    ]


def test_the_tuple_that_raises_changes_all_the_same() -> None:
    trace = watch("t = ([], 2)\nt[0] += [1]")
    last = trace.steps[-1]
    assert last.event == "exception"
    assert str(trace.raised).startswith("TypeError: 'tuple' object does not support")
    assert [c.what for c in last.changes] == ["mutated"]
    assert last.names_of(last.changes[0].thing or 0) == ["t[0]"]


def test_the_parts_that_changed_are_named() -> None:
    trace = watch("a = [1, 2, 3]\na.insert(0, 9)\na[1] = 7\na.pop()\nd = {'k': 1}\nd['k'] = 2")
    parts = [[p[0] for c in s.of_kind("mutated") for p in c.parts] for s in trace]
    assert parts == [[], ["0"], ["1"], ["3"], [], ["'k'"]]
    inserted, replaced, removed = (trace.steps[n].changes[0].parts[0] for n in (1, 2, 3))
    assert inserted[1] is None
    assert None not in replaced
    assert removed[2] is None


def test_arguments_are_seen_from_inside_and_outside() -> None:
    trace = watch(CLASSICS["argument-mutated-or-rebound"].source)
    inside = next(s for s in trace.at_line(2) if s.of_kind("mutated"))
    assert inside.names_of(inside.of_kind("mutated")[0].thing or 0) == ["a", "change: items"]
    rebound = [s for s in trace if any(c.name == "items" for c in s.of_kind("rebound"))]
    assert [s.line for s in rebound] == [4]
    assert rebound[0].named("a") is not rebound[0].named("items")


def test_a_generator_shows_where_it_is_paused_and_what_it_holds() -> None:
    trace = watch("def g():\n    x = [1]\n    yield x\n    return 5\none = g()\nnext(one)\na = 1")
    fresh, last = trace.at_line(5)[0].named("one"), trace.steps[-1].named("one")
    assert fresh.text == "g: not started"
    assert last.text == "g: paused at line 3"
    assert [label for label, _ in last.parts] == ["x"]
    yielded = next(s for s in trace if s.event == "yield")
    assert yielded.things[yielded.value or 0].type == "list"


def test_an_iterator_advances_and_is_then_exhausted() -> None:
    trace = watch("i = iter([1, 2])\nnext(i)\nnext(i)\nnext(i, 0)")
    texts = [step.named("i").text for step in trace]
    assert texts == ["next index 0", "next index 1", "next index 2", "exhausted"]
    assert [c.what for s in trace.steps[1:] for c in s.changes] == ["advanced"] * 3


def test_input_is_handed_to_the_snippet() -> None:
    trace = watch("n = int(input('? '))\nprint(n + 1)", stdin="41\n")
    assert trace.output == "? 42\n"


def test_no_python_is_told_with_its_line() -> None:
    trace = watch("a = 1\nb = = 2")
    assert trace.ended == "syntax"
    assert trace.raised is not None
    assert trace.raised.line == 2


def test_a_trace_counts_no_reference_where_the_snippet_counts() -> None:
    source = "import sys\na = [object()]\nb = a\nprint(sys.getrefcount(a))"
    assert watch(source).output == oracle.run_plainly(source, sys.executable)[0]


def test_the_traceback_is_the_snippets_own() -> None:
    trace = watch("def f():\n    return 1 / 0\n\nf()")
    assert trace.raised is not None
    assert trace.raised.traceback == ((4, "<module>"), (2, "f"))


def test_an_unchanged_object_is_the_same_record_from_step_to_step() -> None:
    trace = watch("a = list(range(50))\nb = 1\nc = 2")
    first, last = trace.steps[0], trace.steps[-1]
    assert first.things[first.frames[0].names["a"]] is last.things[last.frames[0].names["a"]]


def test_json_tells_the_steps_and_only_what_is_new_of_the_objects() -> None:
    import json

    trace = watch("a = [1]\nb = a\na.append(2)")
    told = json.loads(json.dumps(trace.to_json()))
    assert [len(step["things"]) for step in told["steps"]] == [2, 0, 2]
    assert told["steps"][2]["changes"][0]["what"] == "mutated"
    assert told["ended"] == "finished"


def test_text_says_it_in_words() -> None:
    text = str(watch("a = [1]\nb = a\nb.append(2)\nprint(a)"))
    assert "   2 line 3: b.append(2)\n    mutated list #1 [1, 2] (a, b): + [1] 2" in text
    assert "    prints [1, 2]" in text
    assert text.endswith("It ran to its end.")


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
def test_calls_nest_as_deep_as_they_do_alone(python: str) -> None:
    source = (
        "import sys\nsys.setrecursionlimit(50)\n"
        "def down(n):\n    try:\n        return down(n + 1)\n"
        "    except RecursionError:\n        print('deepest', n)\n        raise\n"
        "try:\n    down(1)\nexcept RecursionError:\n    print('out')\n"
        "print(sys.getrecursionlimit())\n"
    )
    trace = watch(source, python=python)
    plain, _ = oracle.run_plainly(source, python)
    assert trace.ended == "finished"
    assert trace.output.splitlines()[-3:] == plain.splitlines()[-3:]
    raised = [step for step in trace if step.raised and step.raised.type == "RecursionError"]
    assert raised[-1].line == 10
    assert len(raised[-1].frames) == 1


def test_a_syntax_error_within_is_told_in_words() -> None:
    raised = watch("eval('(1')").raised
    assert str(raised) == "SyntaxError: '(' was never closed, line 1"
