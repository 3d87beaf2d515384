"""Distances d(p_data, p_θ): one family, exact on cells, estimated on rows, else refused."""

from anypart.optim.distances.exact import (
    cross_entropy,
    entropy,
    forward_kl,
    hellinger,
    jensen_shannon,
    mmd,
    reverse_kl,
    squared_mmd,
    total_variation,
)
from anypart.optim.distances.measured import Measured, refused
from anypart.optim.distances.models import Crossed, between_models, log10_states
from anypart.optim.distances.transport import line_wasserstein, wasserstein

__all__ = [
    "Crossed",
    "Measured",
    "between_models",
    "cross_entropy",
    "entropy",
    "forward_kl",
    "hellinger",
    "jensen_shannon",
    "line_wasserstein",
    "log10_states",
    "mmd",
    "refused",
    "reverse_kl",
    "squared_mmd",
    "total_variation",
    "wasserstein",
]
