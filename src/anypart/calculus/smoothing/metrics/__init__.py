"""Metrics, hard at temperature 0 and smooth above, and the losses they make.

A metric is told what it is given: `f1.loss(logits(z), y)` or `f1.loss(probabilities(p), y)`.
"""

from anypart.calculus.smoothing.metrics.bleu import bleu
from anypart.calculus.smoothing.metrics.calibration import calibration_error
from anypart.calculus.smoothing.metrics.edit import edit_distance
from anypart.calculus.smoothing.metrics.expected import expected_f_beta, poisson_binomial
from anypart.calculus.smoothing.metrics.moving import Recent, Totals
from anypart.calculus.smoothing.metrics.predicted import Metric, Predicted, logits, probabilities
from anypart.calculus.smoothing.metrics.ranking import auc, average_precision, ndcg, pair_loss
from anypart.calculus.smoothing.metrics.ratios import (
    accuracy,
    f1,
    f_beta,
    iou,
    matthews,
    precision,
    recall,
)
from anypart.calculus.smoothing.metrics.reward import as_reward

__all__ = [
    "Metric",
    "Predicted",
    "Recent",
    "Totals",
    "accuracy",
    "as_reward",
    "auc",
    "average_precision",
    "bleu",
    "calibration_error",
    "edit_distance",
    "expected_f_beta",
    "f1",
    "f_beta",
    "iou",
    "logits",
    "matthews",
    "ndcg",
    "pair_loss",
    "poisson_binomial",
    "precision",
    "probabilities",
    "recall",
]
