"""What suits the size of a table: the rows of a batch, a hidden tree's decay, classes."""

from __future__ import annotations

STATES = 128  # of a hidden node; what few rows do not teach them decays
MOST_CLASSES, LEAST_CLASSES = 128, 16
ROWS_PER_CLASS = 32
DECAY = 0.09  # for a row for each logit of a column's table
MOST_DECAY = 1.7  # times the cube root of a row's share


def batch_size(n_rows: int) -> int:
    """Choose the rows of a mini-batch: about eighty to a pass.

    Example:
        >>> [batch_size(n) for n in (100, 20_000, 5_000_000)]
        [64, 250, 1000]

    """
    return min(max(n_rows // 80, 64), 1_000)


def classes_for(n_rows: int) -> int:
    """Choose how many classes of products the rows of a table can teach: a power of two.

    Example:
        >>> [classes_for(n) for n in (344, 5_000, 20_000, 5_000_000)]
        [16, 128, 128, 128]

    """
    most = min(max(n_rows // ROWS_PER_CLASS, LEAST_CLASSES), MOST_CLASSES)
    return 1 << (most.bit_length() - 1)


def decay_for(n_states: int, n_cats: float, n_rows: int) -> float:
    """Choose the weight decay of a hidden tree: the more logits share a row, the faster.

    Args:
        n_states: of a hidden node.
        n_cats: categories of a column, on average.
        n_rows: rows to learn from.

    Example:
        >>> [round(decay_for(128, n_cats, 18_000), 3) for n_cats in (2, 32, 200)]
        [0.001, 0.02, 0.065]
        >>> [round(decay_for(128, 10, n_rows), 3) for n_rows in (100, 1_000, 10_000)]
        [0.366, 0.115, 0.012]

    """
    return min(DECAY * n_states * n_cats / n_rows, MOST_DECAY / n_rows ** (1 / 3))
