"""Every law on every family with exact answers, and a planted bug for every law."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.laws import LAWS
from tests.models.makers import MAKERS
from tests.models.planting import plant

from anypart.models.catalogue import CATALOGUE


def test_every_exact_family_of_the_catalogue_has_a_maker():
    exact = {name for name, family in CATALOGUE.items() if family.exact}
    assert exact <= set(MAKERS)


def hold(law, family, seeds):
    for seed in range(seeds):
        rng = np.random.default_rng([seed, len(family), len(law)])
        LAWS[law](MAKERS[family](rng), rng)


CASES = [(family, law) for family in MAKERS for law in LAWS]
CASES.remove(("latent_tree", "saved_answers_are_the_same"))  # the catalogue has no bare engine


@pytest.mark.parametrize(("family", "law"), CASES)
def test_law(family, law):
    hold(law, family, 1 if law.startswith("samples") else 6)


TREE = "anypart.models.latent_tree"
BUGS = {
    "sums_to_one": ("hidden_tree", f"{TREE}.passes", "total += logs\n", "total += 0.9 * logs\n"),
    "marginals_are_sums": (
        "hidden_tree",
        f"{TREE}.passes",
        "+ top[:, 0] + log_most",
        "+ top[:, 0]",
    ),
    "marginal_of_a_marginal": (
        "hidden_tree",
        f"{TREE}.circuit",
        "np.ones((1, n_states)",
        "0.9 * np.ones((1, n_states)",
    ),
    "conditional_is_a_ratio": (
        "stack",
        "anypart.models.stack",
        "return joint - total",
        "return joint * 0 + self.log_weights[:, None]",
    ),
    "conditional_agrees_with_enumeration": (
        "chow_liu",
        f"{TREE}.model",
        "_log_shares(cell, weights)",
        "_log_shares(cell, None)",
    ),
    "leave_one_out_agrees_with_enumeration": (
        "hidden_tree",
        f"{TREE}.passes",
        "others[place] = before[place] * after",
        "others[place] = before[place] * 1",
    ),
    "what_is_not_seen_is_not_read": (
        "independent",
        f"{TREE}.passes",
        "np.where(seen, evidence.codes[:, column], len(logs) - 1)",
        "evidence.codes[:, column]",
    ),
    "samples_agree_with_densities": (
        "tree_mixture",
        f"{TREE}.draw",
        "p[row, giver] - (1.0 - left)",
        "p[row, giver]",
    ),
    "samples_given_the_same_agree": (
        "hidden_tree",
        f"{TREE}.sampling",
        "else probs * said",
        "else probs",
    ),
    "samples_given_different_rows_agree": (
        "hidden_tree",
        f"{TREE}.sampling",
        "weights if below is None else weights * below",
        "weights",
    ),
    "saved_answers_are_the_same": (
        "chow_liu",
        f"{TREE}.model",
        "np.concatenate([t.ravel()",
        "np.concatenate([t.T.ravel()",
    ),
}


def test_every_law_has_a_bug_to_find():
    assert set(BUGS) == set(LAWS)


@pytest.mark.parametrize("law", BUGS)
def test_a_planted_bug_breaks_the_law(law, monkeypatch):
    family, module, right, wrong = BUGS[law]
    plant(monkeypatch, module, right, wrong)
    with pytest.raises(AssertionError, match=r"^(?!.*times)"):
        hold(law, family, 6)


def test_leave_one_out_of_a_stack_weighs_members_by_the_other_cells(monkeypatch):
    right = "log_all[:, None] - np.where(seen, own, 0.0)"
    plant(monkeypatch, "anypart.models.stack", right, "log_all[:, None] + 0 * own")
    with pytest.raises(AssertionError, match=r"^(?!.*times)"):
        hold("leave_one_out_agrees_with_enumeration", "stack", 6)


@pytest.mark.parametrize(
    ("law", "right", "wrong"),
    [
        ("marginals_are_sums", "beside[rows] += wide[rows,", "beside[rows] += 0.9 * wide[rows,"),
        ("marginals_are_sums", "np.where(known[:, None], 0.0, told)", "told"),
        ("conditional_agrees_with_enumeration", "host, host - told)", "host, host)"),
        ("leave_one_out_agrees_with_enumeration", "speaks |= seen", "speaks &= seen"),
        ("samples_agree_with_densities", "[drawn[:, host]]", "[0 * drawn[:, host]]"),
    ],
)
def test_the_laws_notice_a_bug_in_what_hangs_on_a_column(monkeypatch, law, right, wrong):
    plant(monkeypatch, "anypart.models.settled", right, wrong)
    with pytest.raises(AssertionError):
        hold(law, "settled", 1 if law.startswith("samples") else 6)
