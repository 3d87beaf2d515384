"""The finisher: never worse on validation, better where thresholds are not enough, refusals."""

from __future__ import annotations

import copy

import pytest
import torch
from sklearn.metrics import f1_score
from tests.data.planted import planted

from anypart.base.errors import FitError
from anypart.calculus.smoothing import metrics
from anypart.optim import fine_tuning, finisher
from anypart.optim.finisher import Labelled, Recipe, finish


def two_clouds(seed, n=600):
    """Rare positives to the right, and a few negatives far beyond them that bend the line."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 2, generator=rng)
    y = (torch.rand(n, generator=rng) < 0.12).long()
    far = (torch.rand(n, generator=rng) < 0.05) & (y == 0)
    x[y == 1] += torch.tensor([2.0, 0.5])
    x[far] += torch.tensor([8.0, 0.0])
    return Labelled(x, y)


def by_cross_entropy(data, seed=0):
    torch.manual_seed(seed)
    model = torch.nn.Linear(2, 1)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(150):
        optimiser.zero_grad()
        z = model(data.rows).squeeze(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(z, data.labels.float())
        loss.backward()
        optimiser.step()
    return model


def kept_is_the_best_of_three_by_the_true_metric(module):
    for seed in range(3):
        train, valid, test = (two_clouds(10 * seed + k) for k in range(3))
        model = by_cross_entropy(train)
        before = copy.deepcopy(model.state_dict())
        done = module.finish(model, module.Labelled(train.rows, train.labels), valid)
        assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
        assert done.scores[done.kept] == max(done.scores.values())
        decided = done.decide(valid.rows)
        true = f1_score(valid.labels, decided, zero_division=0.0)
        assert true == pytest.approx(done.scores[done.kept], abs=1e-6)
        assert done.report(test)["kept"] == pytest.approx(
            f1_score(test.labels, done.decide(test.rows), zero_division=0.0), abs=1e-6
        )
        assert done.scores["tuned threshold"] > done.scores["cross-entropy at .5"]


def test_what_is_kept_is_the_best_on_validation_by_scikit_learns_f1():
    kept_is_the_best_of_three_by_the_true_metric(finisher)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            "kept = max(reversed(scores), key=lambda name: scores[name])\n    return Finished(*",
            "kept = min(reversed(scores), key=lambda name: scores[name])\n    return Finished(*",
        ),
        ("start = copy.deepcopy(model).eval()", "start = model"),
        ("(z > self.threshold)", "(z > 0)"),
    ],
)
def test_the_law_notices_a_bug(right, wrong):
    broken = planted(finisher, right, wrong)
    if wrong.endswith("model"):  # then fine-tuning must not copy either
        broken.fine_tuned = lambda model, *rest: (model.weight.data.zero_(), model)[1]
    with pytest.raises(AssertionError, match="assert"):
        kept_is_the_best_of_three_by_the_true_metric(broken)


def test_fine_tuning_finds_a_line_that_no_threshold_gives():
    train, valid, test = (two_clouds(k, 1500) for k in range(3))
    done = finish(by_cross_entropy(train), train, valid)
    found = done.report(test)
    assert done.kept == "fine-tuned"
    assert found["kept"] > found["tuned threshold"] + 0.1 > found["cross-entropy at .5"]


def test_classes_are_finished_by_macro_f1_without_a_threshold():
    torch.manual_seed(1)
    x = torch.randn(900, 4)
    y = (x @ torch.randn(4, 3) + torch.randn(900, 3) + torch.tensor([2.0, 0, -2])).argmax(1)
    data = Labelled(x, y)
    done = finish(
        torch.nn.Linear(4, 3), data, data, metrics.f1, Recipe(steps=60, rate=0.05), average="macro"
    )
    assert set(done.scores) == {"cross-entropy at .5", "fine-tuned"}
    assert done.kept == "fine-tuned"
    want = f1_score(y, done.decide(x), average="macro")
    assert done.scores["fine-tuned"] == pytest.approx(want, abs=1e-6)


def test_what_cannot_be_finished_is_refused():
    data, model = two_clouds(0), torch.nn.Linear(2, 1)
    ones = Labelled(data.rows, torch.ones_like(data.labels))
    with pytest.raises(FitError, match="all of one class"):
        finish(model, data, ones)
    with pytest.raises(FitError, match="metric 'calibration_error' is better when it is smaller"):
        finish(model, data, data, metrics.calibration_error)
    with pytest.raises(FitError, match=r"not \(600, 1, 2\)"):
        finish(torch.nn.Unflatten(1, (1, 2)), data, data)


def slopes(module, batch, **changes):
    """The mean slope of a pass of batches at one model, and the slope of all rows."""
    data = two_clouds(3, 1_200)
    model = by_cross_entropy(data)
    goal = module.Goal(metrics.f1, 0.5, 0.0, {})

    def slope(rows, **more):
        z = module.squeezed(model, data.rows[rows])
        found = torch.autograd.grad(goal.loss(z, data.labels[rows], **more), model.weight)[0]
        return found.flatten()

    whole = slope(torch.arange(1_200))
    more = goal.moving(batch, 1_200) if changes.get("moving", True) else {}
    recipe = module.Recipe(batch=batch)
    rows = [r for r, _ in zip(module.batches(data.labels, recipe), range(600), strict=False)]
    each = [slope(r, **more) for r in rows]
    return torch.stack(each[200:]).mean(0), whole, rows, data.labels


def test_batches_have_their_share_of_every_class_and_no_row_twice():
    _, _, rows, labels = slopes(fine_tuning, 50)
    passed = torch.cat(rows[:24])
    assert sorted(passed.tolist()) == list(range(1_200))
    share = float(labels.float().mean())
    assert all(abs(float(labels[r].float().mean()) - share) < 0.03 for r in rows)
    rare = torch.tensor([0] * 97 + [1] * 3)
    batches = fine_tuning.batches(rare, Recipe(batch=10))
    assert all(int(rare[next(batches)].sum()) >= 1 for _ in range(30))


def the_mean_slope_of_batches_is_that_of_all_rows(module):
    found, whole, _, _ = slopes(module, 12)
    assert float((found - whole).norm()) < 0.02 * float(whole.norm())


def test_moving_totals_give_batches_the_slope_of_all_rows():
    the_mean_slope_of_batches_is_that_of_all_rows(fine_tuning)
    found, whole, _, _ = slopes(fine_tuning, 12, moving=False)
    assert float((found - whole).norm()) > 0.04 * float(whole.norm())


def test_the_slope_notices_that_no_totals_move():
    broken = planted(fine_tuning, "if has and share < 1 else {}", "if not has else {}")
    with pytest.raises(AssertionError, match="assert"):
        the_mean_slope_of_batches_is_that_of_all_rows(broken)


def test_mini_batches_finish_as_well_as_all_rows_do():
    train, valid, test = (two_clouds(k, 1500) for k in range(3))
    model = by_cross_entropy(train)
    for metric in (metrics.f1, metrics.accuracy, metrics.average_precision):
        whole = finish(model, train, valid, metric)
        parts = finish(model, train, valid, metric, Recipe(batch=100, steps=300))
        assert parts.report(test, metric)["kept"] > whole.report(test, metric)["kept"] - 0.02


def an_order_is_finished(module, recipe=None):
    """By the true metric of scikit-learn; if it is kept, with the validation rows too."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    train, valid, test = (two_clouds(k, 900) for k in range(3))
    model = by_cross_entropy(train)
    for metric, judge in (
        (metrics.auc, roc_auc_score),
        (metrics.average_precision, average_precision_score),
    ):
        done = module.finish(model, train, valid, metric, recipe or Recipe(1.0, 0.05, 100))
        assert set(done.scores) == {"cross-entropy at .5", "fine-tuned"}
        found = done.report(test, metric)
        z = done.model(test.rows).detach().squeeze(1)
        assert found["kept"] == pytest.approx(judge(test.labels, z), abs=1e-6)
        assert found["kept"] > found["cross-entropy at .5"] + 0.005
        assert done.kept == "fine-tuned"
        own = judge(valid.labels, done.model(valid.rows).detach().squeeze(1))
        assert own != pytest.approx(done.scores["fine-tuned"], abs=1e-6)


def test_an_order_is_finished_without_a_threshold():
    an_order_is_finished(finisher)
    an_order_is_finished(finisher, Recipe(1.0, 0.05, 100, batch=90))
    an_order_is_finished(finisher, Recipe(1.0, 0.05, 100, batch=300))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            "averaged(start, _joined(train, valid), order, recipe)",
            "averaged(start, train, order, recipe)",
        ),
        ("if of_order:", "if not of_order:"),
    ],
)
def test_the_law_of_orders_notices_a_bug(right, wrong):
    broken = planted(finisher, right, wrong)
    with pytest.raises(AssertionError, match="assert"):
        an_order_is_finished(broken)


def mean_of_the_way(module):
    """Two looks of one step each on a model of one weight, beside Adam by hand."""
    x = torch.tensor([[1.0], [2.0], [0.5], [-1.0]])
    data = Labelled(x, torch.tensor([1, 0, 1, 0]))
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 0.3)
    recipe = Recipe(rate=0.1, steps=2, every=1)
    by_hand, points = copy.deepcopy(model), [0.3]
    adam = torch.optim.Adam(by_hand.parameters(), lr=0.1)
    for _ in range(2):
        adam.zero_grad()
        z = by_hand(x).squeeze(1)
        gaps = z[[0, 0, 2, 2]] - z[[1, 3, 1, 3]]
        torch.log(1 + torch.exp(-gaps)).mean().backward()
        adam.step()
        points.append(float(by_hand.weight.detach()))
    found = module.averaged(model, data, module.Order(metrics.auc, 1.0), recipe)
    assert float(found.weight.detach()) == pytest.approx(sum(points) / 3, abs=1e-6)
    assert float(model.weight.detach()) == pytest.approx(0.3)


def test_the_weights_are_the_mean_of_the_way():
    mean_of_the_way(fine_tuning)
    broken = planted(fine_tuning, "1 / (step // recipe.every + 1)", "1 / (step // recipe.every)")
    with pytest.raises(AssertionError, match="assert"):
        mean_of_the_way(broken)


def test_a_model_left_in_training_is_judged_as_it_will_decide():
    train, valid = two_clouds(0), two_clouds(1)
    model = torch.nn.Sequential(torch.nn.Dropout(0.5), by_cross_entropy(train)).train()
    for metric in (metrics.f1, metrics.auc):
        done = finish(model, train, valid, metric, Recipe(steps=20))
        assert not done.model.training
        again = finish(model.eval(), train, valid, metric, Recipe(steps=20))
        assert done.scores["cross-entropy at .5"] == again.scores["cross-entropy at .5"]
        model.train()
