"""kill -9 at random moments of `anypart fit`, `sample`, `complete` and of a save.

ANYPART_KILLS is how many each test makes; the slice here is small.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import anypart
from anypart.optim.checkpoint import read_arrays

KILLS = int(os.environ.get("ANYPART_KILLS", "2"))
SEED = int(os.environ.get("ANYPART_KILLS_SEED", str(int(time.time()))))  # a new moment each time
MINUTES = "0.02"
COMMAND = [sys.executable, "-c", "from anypart.terminal.main import main; raise SystemExit(main())"]
# Commands as children of one process that has loaded everything: a kill costs no start.
WARM = """
import json, os, sys
from anypart.terminal.main import main
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
main(json.loads(sys.stdin.readline()))
os.write(out, b"ready\\n")
for line in sys.stdin:
    if not (child := os.fork()):
        os._exit(main(json.loads(line)))
    os.write(out, b"%d\\n" % child)
    sys.stdin.readline()  # until then a child that has ended keeps its number
    os.write(out, b"%d\\n" % os.waitpid(child, 0)[1])
"""
SAVE_FOREVER = """
import sys, anypart
fits = [anypart.load(f) for f in sys.argv[1:3]]
print("ready", flush=True)
while True:
    for fit in fits:
        fit.save(sys.argv[3])
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def family(pid):
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def killed(command, rng, longest, *, whole_family=False):
    """Start a command and kill it at a random moment; False if it ended well before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        process.wait(rng.uniform(0.05, longest))
        assert process.returncode == 0, process.stderr.read().decode()
    except subprocess.TimeoutExpired:
        for pid in family(process.pid) if whole_family else [process.pid]:
            os.kill(pid, signal.SIGKILL)
        process.wait()
        return True
    finally:
        process.stderr.close()
    return False


class Warm:
    """Runs `anypart` commands, one at a time, that can be killed."""

    def __init__(self, first):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", WARM], stdin=pipe, stdout=pipe)
        self.say(first)
        assert self.process.stdout.readline() == b"ready\n"

    def say(self, words):
        self.process.stdin.write(json.dumps(words).encode() + b"\n")
        self.process.stdin.flush()

    def run(self, words, seconds=None):
        """Run a command, or kill it after some seconds; False if it was killed."""
        self.say(words)
        child = int(self.process.stdout.readline())
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        self.say("go on")
        status = int(self.process.stdout.readline())
        assert status in (0, signal.SIGKILL)
        return status == 0

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def seconds_of(command):
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table with gaps, two fits of it, and rows to complete."""
    place = tmp_path_factory.mktemp("kills")
    rng = np.random.default_rng(0)
    n = 3_000
    kind = rng.integers(0, 6, n)
    columns = {
        "kind": np.array(list("abcdef"))[kind],
        "size": np.round(rng.gamma(2.0, 1.0 + kind), 2),
        "count": rng.poisson(kind + 1),
        "place": np.array([f"p{i}" for i in range(12)])[(kind * 2 + rng.integers(0, 3, n)) % 12],
    }
    arrays = {k: pa.array(v.tolist(), mask=rng.random(n) < 0.1) for k, v in columns.items()}
    table = pa.table(arrays)
    pyarrow.csv.write_csv(table, place / "table.csv")
    pyarrow.csv.write_csv(pa.concat_tables([table] * 10), place / "gaps.csv")
    for seed, name in enumerate(("fit", "other")):
        anypart.fit(place / "table.csv", minutes=float(MINUTES), seed=seed, folder=place / name)
    return place


def steps_saved(work):
    """The step that each member's state on disk has reached."""
    members = work / "members"
    found = {p.stem: read_arrays(p)[1]["step"] for p in members.glob("*.checkpoint")}
    return found | {p.stem: np.inf for p in members.glob("*.safetensors")}


def test_a_fit_killed_again_and_again_goes_forward_and_ends_whole(folder, tmp_path):
    rng = np.random.default_rng(SEED)
    table, n_killed, n_fits = folder / "table.csv", 0, 0
    command = [*COMMAND, "fit", str(table), "--minutes", MINUTES, "--purpose", "fast", "-o"]
    longest = seconds_of([*command, str(tmp_path / "alone")]) * 1.1
    while n_killed < KILLS:
        n_fits += 1
        place, before = tmp_path / f"fit_{n_fits}", {}
        work = place.with_name(f".{place.name}.unfinished")
        # On a busy machine no run may end in time, so the last one is left alone.
        while n_killed < KILLS and killed(
            [*command, str(place)], rng, longest, whole_family=rng.random() < 0.5
        ):
            n_killed += 1
            assert (place / "fit.json").exists() == place.exists()
            if place.exists():
                break
            now = steps_saved(work)
            assert all(now.get(name, -1) >= step for name, step in before.items())
            before = now
        again = place.exists()
        if work.exists() or not again:
            subprocess.run([*command, str(place)], check=True, stdout=subprocess.DEVNULL)
        assert len(anypart.load(place).log_prob(table)) == 3_000
        assert not work.exists() or again
        assert not list(place.rglob("*.part"))


def test_a_killed_command_leaves_the_old_file_or_all_of_the_new(folder, tmp_path):
    rng = np.random.default_rng(SEED + 1)
    known, n_killed = {}, 0
    warm = Warm(["sample", str(folder / "fit"), "-n", "1"])
    while n_killed < KILLS:
        verb = ("sample", "complete")[n_killed % 2]
        ending = rng.choice(["csv", "jsonl.gz", "parquet"])
        given = ["-n", "30000"] if verb == "sample" else [str(folder / "gaps.csv")]
        path = tmp_path / f"{verb}.{ending}"
        command = [verb, str(folder / "fit"), *given, "-o", str(path)]
        if path not in known:
            start = time.monotonic()
            assert warm.run(command)
            known[path] = path.read_bytes(), 1.1 * (time.monotonic() - start)
        new, longest = known[path]
        path.write_bytes(b"old")
        if warm.run(command, rng.uniform(0.0, longest)):
            assert path.read_bytes() == new
        else:
            n_killed += 1
            assert path.read_bytes() in (b"old", new)
    for path in known:  # what the killed had begun goes with the next run
        verb = path.name.partition(".")[0]
        given = ["-n", "1"] if verb == "sample" else [str(folder / "table.csv")]
        assert warm.run([verb, str(folder / "fit"), *given, "-o", str(path)])
    warm.close()
    assert sorted(tmp_path.iterdir()) == sorted(known)


def test_a_killed_save_leaves_one_of_the_two_fits(folder, tmp_path):
    rng = np.random.default_rng(SEED + 2)
    place, rows = tmp_path / "fit", folder / "table.csv"
    wanted = {f: anypart.load(folder / f).log_prob(rows).value for f in ("fit", "other")}
    command = [sys.executable, "-c", SAVE_FOREVER, str(folder / "fit"), str(folder / "other")]
    for _ in range(KILLS):
        process = subprocess.Popen([*command, str(place)], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0.0, 0.2))
        process.kill()
        process.wait()
        process.stdout.close()
        if (place / "fit.json").exists():
            found = anypart.load(place).log_prob(rows).value
            assert any(np.array_equal(found, w) for w in wanted.values())
    anypart.load(folder / "fit").save(place)
    files = json.loads((place / "fit.json").read_text())["files"]
    there = {str(p.relative_to(place)) for p in place.rglob("*") if p.is_file()}
    assert there == {"fit.json", *files}
