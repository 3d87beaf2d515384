"""Few labels: what is compared, what it is told, and that the rows without labels help."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from anypart.base.errors import QuestionError
from anypart.data.files import read
from anypart.scores.label_task import chosen, pose, raw_vectors
from anypart.scores.self_supervision import compare
from anypart.terminal.main import main


def groups(n_rows=320, seed=0):
    """Four groups that twelve switches tell together, each weakly; a number and gaps."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 4, n_rows)
    on = np.random.default_rng(9).random((4, 12)) < 0.5
    bits = on[group] ^ (rng.random((n_rows, 12)) < 0.2)
    table = {f"s{i}": np.where(bits[:, i], "yes", "no") for i in range(12)}
    table["height"] = rng.normal(size=n_rows) + group
    table["group"] = np.array(["red", "green", "blue", "grey"])[group].astype(object)
    table["group"][::17] = None
    return pa.table(table)


@pytest.fixture(scope="module")
def found():
    return compare(groups(), "group", shares=(0.05, 1.0), choices=2, steps=40)


def test_every_way_is_there_at_every_share(found):
    kinds = {(line.way, line.kind) for line in found.lines}
    assert {k for _, k in kinds} == {
        "none",
        "unsupervised",
        "self-supervised",
        "supervised",
        "both",
    }
    assert len(kinds) == 11
    assert len(found.lines) == 2 * (9 * 2 + 2)
    assert found.n_test == 75  # a quarter of the 301 rows with a label
    assert all(0 <= line.accuracy <= 1 and line.error >= 0 for line in found.lines)
    full = {line.way: line.accuracy for line in found.lines if line.share == 1}
    assert full["raw columns"] > 0.6


def test_rows_without_labels_help_the_tree_that_keeps_them(found):
    few = {(line.way, line.reader): line for line in found.lines if line.share == 0.05}
    with_them = few["latent tree, labels with gaps", "itself"]
    without = few["network, labels only", "itself"]
    assert with_them.accuracy > without.accuracy


def test_the_target_is_no_column_of_what_is_learned_from():
    task = pose(read(groups()), "group", 0)
    assert task.layout.n_cols == 13
    again = pose(read(groups()), "group", 0)
    assert np.array_equal(task.train.codes, again.train.codes)
    raw = raw_vectors(task.layout, task.train, task.train)
    assert raw.shape[1] == 12 * 2 + 1
    np.testing.assert_allclose([raw[:, -1].mean(), raw[:, -1].std()], [0, 1], atol=1e-9)


def test_labelled_rows_are_the_same_for_every_way_and_grow():
    task = pose(read(groups()), "group", 0)
    one, two = chosen(task, 0.2, 0, 0), chosen(task, 0.2, 0, 0)
    assert np.array_equal(one, two)
    assert set(one) < set(chosen(task, 0.5, 0, 0))
    assert not np.array_equal(one, chosen(task, 0.2, 1, 0))
    assert len(chosen(task, 0.001, 0, 0)) == 8  # twice the classes at least


@pytest.mark.parametrize(
    ("target", "more", "said"),
    [
        ("grup", {}, "Did you mean 'group'"),
        ("height", {}, "labels are categories"),
        ("group", {"shares": (0.0,)}, "above 0 and at most 1, not 0.0"),
        ("group", {"choices": 0}, "0 choices .* give 1 or more"),
        ("group", {"steps": 0}, "for 0 steps; give 1 or more"),
    ],
)
def test_what_cannot_be_compared_is_refused(target, more, said):
    with pytest.raises(QuestionError, match=said):
        compare(groups(60), target, **more)


def test_the_command_prints_a_table_and_writes_a_plot(found, monkeypatch, tmp_path, capsys):
    import anypart.scores.self_supervision as module

    monkeypatch.setattr(module, "compare", lambda *args, **more: found)
    monkeypatch.setattr("anypart.read", lambda path: path)
    page = tmp_path / "few.html"
    command = ["study", "self-supervision", "t.csv", "--target", "group"]
    assert main([*command, "-o", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "network, contrast" in shown
    assert "100 %: 226" in shown
    html = page.read_text()
    assert html.count("<svg") == 1
    assert html.count("<title>latent tree") == 3
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["target"] == "group"


def test_a_page_must_be_html(capsys):
    assert main(["study", "self-supervision", "t.csv", "--target", "x", "-o", "few.pdf"]) == 2
    assert "Name it" in capsys.readouterr().err
