"""What the networks of several families are made of, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Floats

Array = NDArray[np.float32]

NORM_EPSILON = 1e-5


def gelu(x: Array) -> Array:
    """Gaussian error linear unit, by its tanh formula (Hendrycks and Gimpel 2016)."""
    found = np.multiply(x, x)
    found *= 0.7978845608 * 0.044715
    found += 0.7978845608
    found *= x
    np.tanh(found, out=found)
    found += 1
    found *= x
    found *= 0.5
    return found


def layer_norm(x: Array, scale: Array, shift: Array) -> Array:
    """Centre and scale every row (Ba, Kiros and Hinton 2016)."""
    width = x.shape[1]
    found = x - (x @ np.full(width, 1 / width, x.dtype))[:, None]
    spread = np.sqrt(np.einsum("ij,ij->i", found, found) / width + NORM_EPSILON)
    found *= (1 / spread).astype(x.dtype)[:, None]
    found *= scale
    found += shift
    return found


def log_softmax(x: Floats) -> Floats:
    """Log-probabilities of logits, over the last axis."""
    x = x - x.max(-1, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(-1, keepdims=True)))
