"""LightGBM as somebody uses it: stopped early, and with leaves chosen on validation rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

DEFAULT, SEARCHED = "LightGBM", "LightGBM, leaves searched"
GRID = [
    {"num_leaves": leaves, "min_child_samples": least} for leaves in (4, 8, 31) for least in (1, 20)
]


def _frame(rows: pa.Table, column: str, kinds: Mapping[str, Any] | None) -> Any:
    import pandas as pd

    frame = rows.drop_columns([column]).to_pandas()
    if kinds is None:
        words = [c for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
        kinds = {c: pd.CategoricalDtype(sorted(frame[c].dropna().unique())) for c in words}
    return frame.astype(dict(kinds)), kinds


def boosted(
    train: pa.Table,
    y: np.ndarray,
    valid: pa.Table,
    y_valid: np.ndarray,
    asked: Sequence[pa.Table],
    grid: Sequence[Mapping[str, Any]],
    column: str = "income",
) -> list[np.ndarray]:
    """Train one for each setting, keep the best on validation rows; (rows, labels) of each asked.

    Args:
        train: rows with the column, which is not looked at.
        y: (rows,) labels, numbers from 0.
        valid: rows that end the training and choose the setting.
        y_valid: their labels.
        asked: tables of rows.
        grid: settings.
        column: that is asked.

    """
    import lightgbm

    warnings.filterwarnings("ignore", category=lightgbm.basic.LGBMDeprecationWarning)
    frame, kinds = _frame(train, column, None)
    judge = _frame(valid, column, kinds)[0]
    best, kept = np.inf, None
    for settings in grid:
        model = lightgbm.LGBMClassifier(
            n_estimators=600, learning_rate=0.05, verbose=-1, n_jobs=1, random_state=0, **settings
        )
        stop = lightgbm.early_stopping(50, verbose=False)
        model.fit(frame, y, eval_set=[(judge, y_valid)], callbacks=[stop])
        p = model.predict_proba(judge)[
            np.arange(len(y_valid)), np.searchsorted(model.classes_, y_valid)
        ]
        loss = -np.log(np.clip(p, 1e-9, 1)).mean()
        if loss < best:
            best, kept = loss, model
    return [kept.predict_proba(_frame(rows, column, kinds)[0]) for rows in asked]
