import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.optim.tables import dependent_codes, packed_table
from tests.optim.train_here import plan_for

import anypart
from anypart.base.errors import FitError
from anypart.models.contract import Evidence
from anypart.optim import finish, workers
from anypart.optim.checkpoint import write_arrays
from anypart.optim.events import Combined, Finished, Progress, Warned
from anypart.optim.plan import Member, Plan, load_plan, save_plan
from anypart.optim.portfolio import short_of_time, train
from anypart.optim.rows import fingerprint

KILLS = int(os.environ.get("ANYPART_KILLS", "10"))
PROGRAM = Path(__file__).with_name("train_here.py")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return packed_table(tmp_path_factory.mktemp("table"), 1_500)


@pytest.fixture(scope="module")
def rows():
    codes, seen = dependent_codes(300, seed=1)
    return Evidence(codes.astype(np.int32), seen)


def small_plan(table, workers=0, **changes):
    families = {"independent": {}, "chow_liu": {}, "hidden_tree": {"n_states": 4}}
    members = tuple(
        dataclasses.replace(Member(f, f, s, 1, 60, 100, 15, 3, 1.0), **changes)
        for f, s in families.items()
    )
    return Plan(0, "any", 1.0, fingerprint(table), workers, members)


def bits(folder):
    """All stored members, byte by byte."""
    return {p.name: p.read_bytes() for p in (folder / "members").glob("*.safetensors")}


def test_training_here_and_in_workers_give_the_same_bits(table, tmp_path):
    train(table, None, small_plan(table, 0), tmp_path / "here")
    train(table, None, small_plan(table, 2), tmp_path / "there")
    assert len(bits(tmp_path / "here")) == 3
    assert bits(tmp_path / "here") == bits(tmp_path / "there")


def with_reserve(table, workers=0):
    """A plan whose members stop early and leave time for one more, not for two."""
    plan = small_plan(table, workers, steps=4_000, patience=1, seconds=10.0)
    changes = {"steps": 60, "patience": 9, "seconds": 20.0}
    more = (
        dataclasses.replace(plan.members[2], name=f"tree_{i}", seed=i, **changes) for i in (2, 3)
    )
    return dataclasses.replace(plan, reserve=tuple(more))


def test_time_that_members_leave_goes_to_the_reserve_however_it_is_interrupted(table, tmp_path):
    plan, events = with_reserve(table), []
    train(table, None, plan, tmp_path / "here", events.append)
    assert {e.member for e in events if isinstance(e, Finished)} == {
        "independent", "chow_liu", "hidden_tree", "tree_2",
    }  # fmt: skip
    train(table, None, with_reserve(table, 2), tmp_path / "there")
    assert len(bits(tmp_path / "here")) == 4
    assert bits(tmp_path / "here") == bits(tmp_path / "there")

    def interrupt(event):
        if isinstance(event, Finished) and event.member == "chow_liu":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(table, None, plan, tmp_path / "again", interrupt)
    train(table, None, plan, tmp_path / "again")
    assert bits(tmp_path / "again") == bits(tmp_path / "here")


def test_without_the_reserve_the_mixture_knows_less(table, tmp_path):
    def level(plan, name):
        events = []
        train(table, None, plan, tmp_path / name, events.append)
        return events[-1].log_lik

    first, second, _ = small_plan(table, steps=4_000, patience=1, seconds=5.0).members
    second = dataclasses.replace(second, seconds=1.0)
    plan = dataclasses.replace(small_plan(table), members=(first,), reserve=(second,))
    alone = level(dataclasses.replace(plan, reserve=()), "alone")
    assert level(plan, "more") > alone + 0.5


def test_a_plan_of_baselines_only_warns(table, tmp_path):
    whole = small_plan(table)
    for n_members, n_warnings in ((2, 1), (3, 0)):
        plan, events = dataclasses.replace(whole, members=whole.members[:n_members]), []
        train(table, None, plan, tmp_path / str(n_members), events.append)
        said = [e.text for e in events if isinstance(e, Warned)]
        assert len(said) == n_warnings
        assert all("more minutes" in text and "chow liu" in text for text in said)


def test_a_distance_of_a_few_steps_warns(table):
    settings = {"distance": "forward_kl", "n_states": 4}
    for steps, said in ((20, "20 steps of latent classes.*more minutes"), (400, "^$")):
        lone = Member("m", "latent_classes", settings, 0, steps, 50, 10, 5)
        plan = dataclasses.replace(small_plan(table), purpose="distance", members=(lone,))
        assert re.search(said, short_of_time(plan))


def test_the_mixture_is_better_than_the_independent_model(table, tmp_path):
    events = []
    stack = train(table, None, small_plan(table), tmp_path, events.append)
    ends = {e.member: e.log_lik for e in events if isinstance(e, Finished)}
    combined = events[-1]
    assert isinstance(combined, Combined)
    assert sum(combined.weights.values()) == pytest.approx(1)
    assert combined.log_lik > ends["independent"] + 0.5
    assert combined.log_lik >= max(ends.values()) - 0.05
    assert len(stack.members) == len(combined.weights)


def test_an_own_validation_table_is_used(table, tmp_path):
    valid = packed_table(tmp_path / "valid", 200, seed=5)
    train(table, valid, small_plan(table), tmp_path / "fit")
    stored = finish.load_stored(small_plan(table).members[0], tmp_path / "fit")
    assert len(stored.valid_log_prob) == 200


def test_what_is_trained_is_not_trained_again(table, tmp_path, rows, monkeypatch):
    first = train(table, None, small_plan(table), tmp_path)
    monkeypatch.setattr("anypart.optim.portfolio.finish_member", lambda *_: 1 / 0)
    second = train(table, None, small_plan(table), tmp_path)
    assert np.array_equal(first.log_prob(rows), second.log_prob(rows))


def test_another_plan_in_the_same_folder_is_refused(table, tmp_path):
    save_plan(small_plan(table, steps=3), tmp_path)
    with pytest.raises(FitError, match="holds a fit with another plan"):
        train(table, None, small_plan(table), tmp_path)


def test_a_plan_of_another_table_is_refused(table, tmp_path):
    plan = dataclasses.replace(small_plan(table), table="00000000")
    with pytest.raises(FitError, match="made for another table"):
        train(table, None, plan, tmp_path)


def test_a_stored_member_of_another_plan_is_refused(table, tmp_path):
    plan = small_plan(table)
    path = finish.stored_path(tmp_path, plan.members[0])
    path.parent.mkdir(parents=True)
    write_arrays(path, {}, {"mark": "other"})
    with pytest.raises(FitError, match="another plan of independent"):
        train(table, None, plan, tmp_path)


def test_a_member_that_fails_in_a_worker_is_named_with_its_reason(table, tmp_path):
    plan = small_plan(table, 2)
    wrong = dataclasses.replace(plan.members[2], settings={"no_such_setting": 1})
    plan = dataclasses.replace(plan, members=(*plan.members[:2], wrong))
    with pytest.raises(FitError, match=r"Training hidden_tree failed: .*no_such_setting"):
        train(table, None, plan, tmp_path)


def test_a_worker_that_dies_is_an_error_with_its_last_words(table, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "ENVIRONMENT", workers.ENVIRONMENT | {"PYTHONHOME": "/nowhere"})
    with pytest.raises(FitError, match=r"ended with code 1"):
        train(table, None, small_plan(table, 2), tmp_path)


def slow_plan(table):
    plan = small_plan(table, 2, steps=100_000, patience=10**6, save_every=0.05)
    return dataclasses.replace(plan, members=plan.members[2:])


def children():
    """Processes of ours, by their parent in /proc."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


@needs_proc
def test_an_interrupt_passes_through_and_leaves_a_checkpoint_and_no_process(table, tmp_path):
    before = children()

    def interrupt(event):
        if isinstance(event, Progress):
            assert children() - before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(table, None, slow_plan(table), tmp_path, interrupt)
    assert not children() - before
    assert (tmp_path / "members" / "hidden_tree.checkpoint").exists()
    assert load_plan(tmp_path) == slow_plan(table)


def start(table_folder, folder):
    root = str(Path(anypart.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(table_folder), str(folder)],
        env=os.environ | workers.ENVIRONMENT | {"PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def workers_of(pid):
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@needs_proc
def test_kill_9_at_random_moments_loses_no_bits_and_leaves_no_process(table, tmp_path):
    table_folder = Path(table.cells.filename).parent
    train(table, None, plan_for(table), tmp_path / "alone")
    rng = np.random.default_rng(int(time.time()))
    killed, n_fits = 0, 0
    while killed < KILLS:
        n_fits += 1
        folder = tmp_path / f"killed_{n_fits}"
        while killed < KILLS:
            process = start(table_folder, folder)
            try:
                process.wait(rng.uniform(0.3, 1.6))
                assert process.returncode == 0, process.stderr.read().decode()
                break
            except subprocess.TimeoutExpired:
                theirs = workers_of(process.pid)
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                killed += 1
            finally:
                process.stdout.close()
                process.stderr.close()
            ends = time.monotonic() + 8
            while any(map(alive, theirs)) and time.monotonic() < ends:
                time.sleep(0.02)
            assert not any(map(alive, theirs))
        train(table, None, plan_for(table), folder)
        assert bits(folder) == bits(tmp_path / "alone")
