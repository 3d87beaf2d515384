"""Small tables for the tests of training."""

import numpy as np

from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import pack


def dependent_codes(n_rows, seed=0):
    """Five columns of 2 to 4 categories, each leaning on the one before."""
    rng = np.random.default_rng(seed)
    codes = np.zeros((n_rows, 5), np.int64)
    codes[:, 0] = rng.integers(0, 3, n_rows)
    for col, n_cats in enumerate((2, 4, 3, 4), start=1):
        follows = rng.random(n_rows) < 0.8
        codes[:, col] = np.where(follows, codes[:, col - 1], rng.integers(0, 4, n_rows)) % n_cats
    return codes, rng.random(codes.shape) < 0.9


def packed_table(folder, n_rows, seed=0):
    """Take a table the whole way to packed codes."""
    codes, seen = dependent_codes(n_rows, seed)
    columns = {
        f"c{i}": [f"v{c}" if s else None for c, s in zip(codes[:, i], seen[:, i], strict=True)]
        for i in range(codes.shape[1])
    }
    table = read(columns)
    return pack(table, Codec(infer_schema(table)), folder)
