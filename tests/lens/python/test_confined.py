"""Snippets that mean harm, or loop: refused or held, and the trace until then is there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from anypart.base.errors import LensError
from anypart.lens.python import Limits, watch, watching

from .planting import plant

QUICK = Limits(steps=300, seconds=2.0)
HARM = {
    "fork": "import os\nos.fork()",
    "shell": "import os\nos.system('echo {bait} > {bait}')",
    "spawn": "import subprocess, sys\nsubprocess.run([sys.executable, '-V'])",
    "exec": "import os\nos.execv('/bin/sh', ['sh'])",
    "kill": "import os\nos.kill(os.getppid(), 0)",
    "read": "open('{bait}').read()",
    "read low": "import os\nos.open('{bait}', os.O_RDONLY)",
    "write": "open('{bait}', 'w')",
    "append": "open('{bait}', 'a')",
    "link out": "import os\nos.symlink('{bait}', 'link')",
    "rename": "import os\nos.rename('{bait}', '{bait}.gone')",
    "remove": "import os\nos.remove('{bait}')",
    "list": "import os\nos.listdir('{folder}')",
    "environment": "open('/proc/self/environ').read()",
    "network": "import socket\nsocket.create_connection(('127.0.0.1', 9))",
    "name": "import socket\nsocket.getaddrinfo('localhost', 80)",
    "ctypes": "import ctypes",
    "untraced": "import sys\nsys.settrace(None)",
    "all objects": "import gc\ngc.get_objects()",
}


@pytest.fixture
def bait(tmp_path: Path) -> Path:
    path = tmp_path / "bait.txt"
    path.write_text("secret")
    return path


@pytest.mark.parametrize("source", HARM.values(), ids=HARM)
def test_what_is_not_computing_is_refused_with_a_word(source: str, bait: Path) -> None:
    trace = watch(source.format(bait=bait, folder=bait.parent), limits=QUICK)
    assert trace.ended == "exception"
    assert trace.raised is not None
    assert "the lens does not let a snippet" in trace.raised.message
    assert trace.refused
    assert bait.read_text() == "secret"
    assert [p.name for p in bait.parent.iterdir()] == ["bait.txt"]


def test_a_refusal_that_is_caught_is_told_all_the_same(bait: Path) -> None:
    source = f"try:\n    open({str(bait)!r})\nexcept OSError:\n    pass\nx = 1"
    trace = watch(source, limits=QUICK)
    assert trace.ended == "finished"
    assert len(trace.refused) == 1


LOOPS = {
    "a loop in C": ("sum(iter(int, 1))", "time"),
    "a loop that says nothing": ("while True: pass", "time"),
    "a loop that counts": ("n = 0\nwhile True:\n    n += 1", "steps"),
    "a loop that catches all": (
        "while True:\n    try:\n        while True:\n            x = 1\n            x = 2\n"
        "    except BaseException:\n        pass",
        "steps",
    ),
    "calls without end": ("def f(n):\n    f(n + 1)\nf(0)", "steps"),
    "a number too large": ("x = 9 ** 9 ** 9", "time"),
}


@pytest.mark.parametrize(("source", "ended"), LOOPS.values(), ids=LOOPS)
def test_what_does_not_end_is_ended(source: str, ended: str) -> None:
    trace = watch(source, limits=Limits(steps=300, seconds=1.0 if ended == "time" else 30.0))
    assert trace.ended == ended
    assert len(trace) == 300 or ended == "time"


@pytest.mark.parametrize("source", ["x = bytearray(10 ** 11)", "x = 'a' * (1 << 30)\ny = x + x"])
def test_memory_is_limited(source: str) -> None:
    trace = watch(source, limits=Limits(memory_mb=200))
    assert trace.ended == "memory"


def test_a_file_may_not_grow_without_end() -> None:
    source = "f = open('big', 'w')\nf.write('x' * 10 ** 7)\nf.flush()"
    trace = watch(source)
    assert trace.raised is not None
    assert trace.raised.type == "OSError"


@pytest.mark.parametrize("source", ["-" * 100_000 + "1", "+".join("1" * 60_000)])
def test_what_nests_too_deep_to_be_compiled_is_told(source: str) -> None:
    trace = watch(f"x = {source}", limits=Limits(seconds=30.0))
    assert trace.ended == "syntax"
    assert str(trace.raised).startswith(("MemoryError", "RecursionError"))  # by version


def test_a_snippet_is_text() -> None:
    with pytest.raises(LensError, match="a snippet is text, not a bytes"):
        watch(b"x = 1")  # type: ignore[arg-type]


def test_threads_are_refused() -> None:
    trace = watch("import threading\nthreading.Thread(target=print).start()")
    assert trace.ended == "exception"


def test_a_temporary_folder_may_be_used_and_is_gone_afterwards() -> None:
    source = (
        "import os\nwith open('a.txt', 'w') as f:\n    f.write('one')\n"
        "here = os.listdir()\ntext = open('a.txt').read()\nwhere = os.path.abspath('a.txt')\n"
        "print(where)"
    )
    trace = watch(source)
    last = trace.steps[-1]
    assert last.named("text").text == "'one'"
    assert not Path(trace.output.strip()).exists()


def test_the_environment_is_not_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hush")
    trace = watch("import os\nprint(os.environ.get('A_SECRET'), sorted(os.environ))")
    assert "hush" not in trace.output
    assert trace.ended == "finished"


def test_a_process_that_dies_leaves_its_steps() -> None:
    trace = watch("a = 1\nb = 2\nimport os\nos._exit(3)\nc = 3")
    assert trace.ended == "killed"
    assert [step.line for step in trace] == [1, 2, 3]


def test_a_snippet_that_writes_into_the_messages_ends_the_reading_and_no_more() -> None:
    source = "import os\nfor n in range(3, 32):\n    try:\n        os.write(n, b'x\\n[1]\\n')\n" + (
        "    except OSError:\n        pass\n"
    )
    trace = watch(source, limits=QUICK)
    assert trace.steps
    assert trace.ended in ("killed", "finished")


def test_output_is_limited_and_the_rest_dropped() -> None:
    trace = watch("for n in range(50):\n    print('x' * 10_000)")
    assert 0 < len(trace.output) <= 1 << 16


TRAPS = """
class Trap:
    def __repr__(self): print("repr"); return "x"
    def __len__(self): print("len"); return 0
    def __eq__(self, other): print("eq"); return True
    def __hash__(self): return 7
    def __bool__(self): print("bool"); return True
    def __getattribute__(self, name): print("attribute", name); return object
    def __iter__(self): print("iter"); return iter(())
class Meta(type):
    def __repr__(cls): print("class repr"); return "y"
    def __getattribute__(cls, name): print("class attribute", name); return "z"
class Odd(metaclass=Meta): pass
class List(list):
    def __iter__(self): print("list iter"); return iter(())
    def __getitem__(self, at): print("list item")
class Dict(dict):
    def items(self): print("items"); return ()
    def __iter__(self): print("dict iter"); return iter(())
class Tuple(tuple):
    @property
    def _fields(self): print("fields"); return ("a",)
class Error(Exception):
    def __str__(self): print("str"); return "s"
class Name(str):
    def startswith(self, start): print("name starts"); return True
    def __eq__(self, other): print("name eq"); return True
    def __hash__(self): return 7
class Names:
    def __init__(self): self.kept = {}
    def __getitem__(self, name): return self.kept[name]
    def __setitem__(self, name, value): self.kept[name] = value
    def items(self): print("names"); return ()
class NamesToo(dict):
    def items(self): print("more names"); return ()
class Body(type):
    def __prepare__(name, bases, kind): return kind()
    def __new__(meta, name, bases, kept, kind):
        return type.__new__(meta, name, bases, dict(getattr(kept, "kept", kept)))
class Held(metaclass=Body, kind=Names):
    x = 1
class HeldToo(metaclass=Body, kind=NamesToo):
    x = 1
globals()[Name("n")] = 1
t, l, d, u, o = Trap(), List([1]), Dict(a=1), Tuple((1,)), object.__new__(Odd)
try:
    raise Error(t, 1)
except Error as error:
    e = error
"""


def test_a_snippets_own_methods_do_not_run_while_it_is_looked_at() -> None:
    trace = watch(TRAPS)
    assert trace.output == ""
    assert trace.ended == "finished"
    last = trace.steps[-1]
    assert last.named("l").parts[0][0] == "0"
    assert last.named("d").parts[0][0] == "'a'"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("if type(name) is str  # others", "if True  # others"),
        ("list(dict.items(names))", "list(names.items())"),
        ("if frame.f_code.co_flags & _OF_FUNCTION else []", ""),
    ],
)
def test_the_law_notices_a_method_that_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, right: str, wrong: str
) -> None:
    plant(monkeypatch, tmp_path, "tracer.py", right, wrong)
    assert watch(TRAPS).output != ""


def test_the_kernel_holds_where_the_interpreters_hook_is_gone(
    tmp_path: Path, bait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from .planting import plant

    plant(monkeypatch, tmp_path, "confine.py", "    sys.addaudithook(hook)", "    pass")
    held = watch("x = 1").confined
    source = (
        "import os, socket\nfound = []\n"
        "def attempt(what, *args):\n    try:\n        what(*args)\n        found.append(0)\n"
        "    except OSError as error:\n        found.append(error.errno)\n"
        f"attempt(open, {str(bait)!r})\nattempt(open, {str(bait)!r}, 'w')\n"
        f"attempt(os.unlink, {str(bait)!r})\nattempt(os.mkdir, 'here')\n"
        "attempt(os.listdir, '/etc')\nattempt(open, '/proc/self/environ')\n"
        "print(found[:])\nfound.clear()\n"
        "attempt(os.fork)\nattempt(os.execv, '/bin/true', ['true'])\n"
        "attempt(os.kill, os.getppid(), 0)\nattempt(socket.socket)\nprint(found[:])"
    )
    trace = watch(source)
    files, rest = trace.output.splitlines()
    if "files (Landlock)" in held:
        assert files == "[13, 13, 13, 13, 13, 13]"
    if "processes and networks (seccomp)" in held:
        assert rest == "[1, 1, 1, 1]"
    assert bait.read_text() == "secret"


def test_a_folder_that_is_no_interpreter_is_told(tmp_path: Path) -> None:
    with pytest.raises(LensError, match="does not start"):
        watch("x = 1", python=tmp_path)


def test_limits_that_let_nothing_run_are_told() -> None:
    with pytest.raises(LensError, match="at least 1 step"):
        Limits(steps=0)


def test_what_is_too_long_to_be_a_snippet_is_told() -> None:
    with pytest.raises(LensError, match="at most 262,144"):
        watch("x = 1\n" * 100_000)


def test_nothing_is_left_running_after_the_clock_ran_out() -> None:
    watch("while True: pass", limits=Limits(seconds=1.0))
    told = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True)
    own = [line for line in told.stdout.splitlines() if line.split()[0] == str(os.getpid())]
    assert not [line for line in own if "inside.main" in line]
    assert watching.TESTED
