"""What the networks of several families are made of, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Floats

Array = NDArray[np.float32]

NORM_EPSILON = 1e-5


def gelu(x: Array) -> Array:
    """Gaussian error linear unit, by its tanh formula (Hendrycks and Gimpel 2016)."""
    return np.asarray(0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x))))


def layer_norm(x: Array, scale: Array, shift: Array) -> Array:
    """Centre and scale every row (Ba, Kiros and Hinton 2016)."""
    centred = x - x.mean(1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(1, keepdims=True) + NORM_EPSILON)
    return np.asarray(centred / spread * scale + shift)


def log_softmax(x: Floats) -> Floats:
    """Log-probabilities of logits, over the last axis."""
    x = x - x.max(-1, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(-1, keepdims=True)))
