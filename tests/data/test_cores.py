"""Work is shared out over kept threads, and a fork loses none of it."""

import inspect
import os
import signal
import subprocess
import sys
import threading

import pytest

from anypart.data import cores

from .planted import planted

pytestmark = pytest.mark.usefixtures("two_cores")
# Windows starts every process anew: there no thread can be lost by a fork, and `cores` registers
# nothing for one. Linux and macOS run these laws.
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

FORKS = """
import os, signal, sys, threading
import planted_cores as cores

assert cores.on_cores(abs, [-1, -2, -3]) == [1, 2, 3]
child = os.fork()
signal.alarm(int(sys.argv[1]))  # a child that waits for a thread that is not there is ended
assert cores.on_cores(abs, [-1, -2, -3]) == [1, 2, 3]
if not child:
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(cores, "cores", lambda: 2)


def forks(folder, old="", new="", patience=60):
    """Fork after work was shared out, in a process of its own, and share out again in both."""
    (folder / "planted_cores.py").write_text(inspect.getsource(cores).replace(old, new, 1))
    command = [sys.executable, "-W", "error", "-c", FORKS, str(patience)]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def tiles(module, n, n_cores):
    """Whether parts are all of n values, in order, none empty, and the caller's the largest."""
    module.cores, module.LEAST = (lambda: n_cores), 1
    found = module.parts(n)
    sizes = [part.stop - part.start for part in found]
    joined = [place for part in found for place in range(n)[part]]
    if joined != list(range(n)) or len(found) != max(min(n, n_cores), 1):
        return False
    return n == 0 or (min(sizes) > 0 and sizes[0] >= max(sizes) - 1)


def test_parts_are_all_values_and_the_callers_is_the_largest(monkeypatch):
    monkeypatch.setattr(cores, "LEAST", cores.LEAST)
    assert all(tiles(cores, n, k) for n in (0, 1, 2, 7, 8, 64, 1000, 9999) for k in (1, 2, 3, 7))


@pytest.mark.parametrize(
    ("old", "new"),
    [("bounds = [0, *(", "bounds = [lead, *("), ("n // 8", "n"), ("lead + (n", "(n")],
)
def test_the_law_of_parts_notices_a_bug(old, new):
    broken = planted(cores, old, new)
    assert not all(tiles(broken, n, k) for n in (1, 8, 64, 1000) for k in (1, 2, 3))


def test_results_come_in_the_order_of_the_parts():
    assert cores.on_cores(lambda n: n * n, range(20)) == [n * n for n in range(20)]
    assert cores.on_cores(lambda n: n * n, [3]) == [9]


def test_the_second_call_starts_no_thread():
    def names(_):
        barrier.wait()
        return threading.current_thread()

    barrier = threading.Barrier(2, timeout=60)
    own, other = cores.on_cores(names, "ab")
    assert own is threading.current_thread()
    assert other is not own
    assert cores.on_cores(names, "ab") == [own, other]


def done_at_the_error(module, opened):
    """List what was done when the error of the first part came out; the others wait a while."""

    def work(n):
        if n == 0:
            raise KeyError("the first part")
        opened.wait(60)
        done.append(n)

    done = []
    with pytest.raises(KeyError, match="the first part"):
        module.on_cores(work, range(3))
    return list(done)


def test_an_error_comes_out_when_nothing_is_at_work_any_more():
    opened = threading.Event()
    threading.Timer(0.05, opened.set).start()
    assert done_at_the_error(cores, opened) == [1, 2]
    assert cores.on_cores(abs, [-1, -2]) == [1, 2]


def test_the_law_notices_an_error_that_comes_out_early():
    opened = threading.Event()  # what waits for the others would wait for ever
    assert done_at_the_error(planted(cores, "wait(waiting)", "pass"), opened) == []
    opened.set()


def test_calls_from_several_threads_share_the_kept_one():
    found = [None] * 8

    def call(i):
        found[i] = [cores.on_cores(lambda n: n + i, range(4)) for _ in range(20)]

    callers = [threading.Thread(target=call, args=(i,)) for i in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert found == [[[i, i + 1, i + 2, i + 3]] * 20 for i in range(8)]


@forking
def test_a_forked_process_shares_out_too(tmp_path):
    done = forks(tmp_path)
    assert done.returncode == 0, done.stderr


@forking
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("before=_end_threads,", "before=_keeping.acquire,"),
        ("after_in_child=_keeping.release,", ""),
    ],
)
def test_the_law_of_forks_notices_a_thread_or_a_lock_left_behind(tmp_path, old, new):
    assert old in inspect.getsource(cores)
    assert forks(tmp_path, old, new, patience=1).returncode == -signal.SIGALRM
