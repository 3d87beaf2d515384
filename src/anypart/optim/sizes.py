"""What suits the size of a table: the rows of a batch, a hidden tree's states and its decay."""

from __future__ import annotations

LARGEST = 128  # states
LEAST = 16
ROWS_PER_STATE = 32
DECAY = 0.09  # for a row for each logit of a column's table
MOST_DECAY = 0.06


def batch_size(n_rows: int) -> int:
    """Choose the rows of a mini-batch: about eighty to a pass.

    Example:
        >>> [batch_size(n) for n in (100, 20_000, 5_000_000)]
        [64, 250, 1000]

    """
    return min(max(n_rows // 80, 64), 1_000)


def states_for(n_rows: int) -> int:
    """Choose how many states the rows of a table can teach: a power of two.

    Example:
        >>> [states_for(n) for n in (344, 5_000, 20_000, 5_000_000)]
        [16, 128, 128, 128]

    """
    most = min(max(n_rows // ROWS_PER_STATE, LEAST), LARGEST)
    return 1 << (most.bit_length() - 1)


def decay_for(n_states: int, n_cats: float, n_rows: int) -> float:
    """Choose the weight decay of a hidden tree: the more logits share a row, the faster.

    Args:
        n_states: of a hidden node.
        n_cats: categories of a column, on average.
        n_rows: rows to learn from.

    Example:
        >>> [round(decay_for(128, n_cats, 18_000), 3) for n_cats in (2, 32, 200)]
        [0.001, 0.02, 0.06]

    """
    return min(DECAY * n_states * n_cats / n_rows, MOST_DECAY)
