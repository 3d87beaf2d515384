"""What has drifted is named, what has not is not, what cannot be told is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from anypart.base.errors import DataError
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.models.conditional_table import ConditionalTable, conditionals_of
from anypart.models.contract import Layout
from anypart.queries.fitted import Fitted
from anypart.scores.drift import drift
from anypart.terminal.main import main


def rows(n, seed, shift=0.0, gaps=0.1):
    rng = np.random.default_rng(seed)
    size = rng.normal(shift, 1.0, n)
    return {
        "size": [None if g else float(s) for s, g in zip(size, rng.random(n) < gaps, strict=True)],
        "sort": rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]).tolist(),
        "count": rng.poisson(4, n).tolist(),
    }


def drifted(found):
    return {c.name for c in found.columns if c.drifted}


def test_a_shifted_column_is_named_and_the_others_are_not():
    found = drift(rows(800, 1), rows(600, 2, shift=0.5))
    assert drifted(found) == {"size"}
    size = found.columns[0].figures["wasserstein"]
    assert size.value == pytest.approx(0.5, abs=4 * size.error)
    assert found.joint["mmd"].p_value <= 0.01


def test_one_source_has_not_drifted():
    found = drift(rows(800, 1), rows(600, 2))
    assert drifted(found) == set()
    assert found.joint["mmd"].p_value > 0.05


def test_cells_that_are_emptier_are_a_drift():
    assert drifted(drift(rows(800, 1), rows(600, 2, gaps=0.4))) == {"size"}


def test_a_table_is_no_distance_from_itself():
    found = drift(rows(300, 1), rows(300, 1))
    assert all(c.figures["hellinger"].value == 0 for c in found.columns)
    assert all(c.figures["wasserstein"].value in (0, None) for c in found.columns)


def test_densities_of_rows_that_do_not_repeat_are_refused_and_of_few_cells_measured():
    found = drift(rows(300, 1), rows(300, 2))
    assert "hardly repeat" in found.joint["forward_kl"].reason
    assert "columns) only" in found.joint["wasserstein"].reason
    few = [{"sort": rows(300, seed)["sort"]} for seed in (1, 2)]
    joint = drift(*few)
    # With one column the whole row is that column.
    column = joint.columns[0].figures["total_variation"].value
    assert joint.joint["total_variation"].value == pytest.approx(column)


def test_a_columns_total_variation_is_that_of_its_frequencies():
    one, two = ({"sort": rows(300, seed)["sort"]} for seed in (1, 2))
    shares = [[t["sort"].count(c) / 300 for c in "abc"] for t in (one, two)]
    expected = sum(abs(a - b) for a, b in zip(*shares, strict=True)) / 2
    found = drift(one, two).columns[0].figures["total_variation"]
    assert found.value == pytest.approx(expected)
    assert found.error > 0


def test_columns_that_one_side_lacks_are_named():
    found = drift(rows(100, 1) | {"more": list("ab" * 50)}, rows(100, 2))
    assert "only the first side has more" in found.notes
    with pytest.raises(DataError, match="no column in common"):
        drift({"a": [1, 2]}, {"b": [1, 2]})


def write(path, table):
    names = list(table)
    lines = [
        ",".join("" if v is None else str(v) for v in row)
        for row in zip(*table.values(), strict=True)
    ]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return str(path)


def test_the_shell_says_what_has_drifted(tmp_path, capsys):
    sides = [write(tmp_path / f"{s}.csv", rows(400, s, shift=s - 1)) for s in (1, 2)]
    main(["study", "distance", *sides])
    assert "1 of 3 columns have drifted: size." in capsys.readouterr().out
    main(["study", "distance", *sides, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["columns"][0]["name"] == "size"
    assert set(found["joint"]) >= {"forward_kl", "reverse_kl", "wasserstein", "mmd"}


def test_the_shell_says_why_a_distance_is_refused(tmp_path, capsys):
    """p = (.5, .5, 0) and q = (.4, .4, .2): one direction is .2231, the other infinite."""
    p = {"sort": ["a", "b"] * 300, "size": [1, 2] * 300}
    q = {"sort": ["a", "b", "a", "b", "c"] * 120, "size": [1, 2, 1, 2, 1] * 120}
    sides = write(tmp_path / "p.csv", p), write(tmp_path / "q.csv", q)
    main(["study", "distance", *sides, "--measure", "forward_kl"])
    assert capsys.readouterr().out.count("0.2231 ±") == 2  # of the column and of whole rows
    main(["study", "distance", *reversed(sides), "--measure", "forward_kl"])
    shown = capsys.readouterr().out
    assert "sort: refused, 'c' is in one sample only" in shown
    assert "'c, 1' is in one sample only" in shown


def test_the_shell_refuses_a_measure_that_is_not_there(tmp_path, capsys):
    side = write(tmp_path / "a.csv", rows(50, 1))
    assert main(["study", "distance", side, side, "--measure", "forward"]) == 2
    assert "forward_kl" in capsys.readouterr().err


def fits():
    """Two full tables over one schema, of rows with and without a dependence."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 3, 600)
    second = np.where(rng.random(600) < 0.7, first, rng.integers(0, 3, 600))
    table = {"x": [f"v{i}" for i in first], "y": [f"w{i}" for i in second]}
    schema = infer_schema(read(table))
    layout = Layout(Codec(schema).n_cats)
    joint = np.zeros((3, 3))
    np.add.at(joint, (first, second), 1 / 600)
    alone = np.outer(joint.sum(1), joint.sum(0))
    made = [Fitted(schema, ConditionalTable(layout, conditionals_of(j))) for j in (joint, alone)]
    return table, joint, alone, made


def test_two_fits_of_few_cells_are_compared_exactly():
    _, joint, alone, (one, two) = fits()
    found = drift(one, two).joint["forward_kl"]
    assert found.exact
    information = (joint * np.log(joint / alone)).sum()
    assert found.value == pytest.approx(information, abs=1e-6)


def of_numbers(values, weights_of):
    """A fit of one column whose cells have the weights that a function gives them."""
    schema = infer_schema(read({"n": values}))
    layout = Layout(Codec(schema).n_cats)
    share = weights_of(np.arange(layout.n_cats[0]) + 1.0)
    return Fitted(schema, ConditionalTable(layout, [share / share.sum()]))


def test_fits_that_cut_integers_differently_are_compared_by_their_values():
    rng = np.random.default_rng(3)
    one = of_numbers(rng.integers(0, 1_000, 2_000).tolist(), np.sqrt)
    two = of_numbers(rng.integers(0, 1_000, 300).tolist(), np.ones_like)
    assert one.schema.modelled != two.schema.modelled
    p, q = (np.exp(f.log_prob({"n": list(range(1_000))}).value) for f in (one, two))
    found = drift(one, two).joint
    expected = {"forward_kl": (p * np.log(p / q)).sum(), "total_variation": abs(p - q).sum() / 2}
    for name, value in expected.items():
        # Fits draw nothing from beyond their cells, where a thousandth of the mass is.
        assert found[name].value == pytest.approx(value, abs=4 * found[name].error + 0.005)
        assert found[name].error > 0


def test_fits_with_other_spikes_or_categories_are_refused_by_density():
    rng = np.random.default_rng(4)
    plain = rng.normal(size=500)
    spiked = np.where(rng.random(500) < 0.3, 0.125, plain)
    one, two = (of_numbers(x.tolist(), np.ones_like) for x in (plain, spiked))
    found = drift(one, two)
    assert "measure n differently" in found.joint["forward_kl"].reason
    assert drifted(found) == {"n"}


def test_a_fit_is_near_the_table_it_came_from_and_far_from_one_with_a_lost_dependence():
    table, joint, alone, (one, two) = fits()
    near, far = (drift(fit, table) for fit in (one, two))
    assert drifted(near) == drifted(far) == set()  # every column by itself is right
    assert near.joint["mmd"].p_value > 0.05
    assert any("a fit is learnt from rows itself" in note for note in near.notes)
    assert far.joint["mmd"].p_value <= 0.01
    apart = np.abs(joint - alone).sum() / 2
    found = far.joint["total_variation"]
    assert found.value == pytest.approx(apart, abs=5 * found.error)
