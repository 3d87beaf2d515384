"""One boosted model per column (scikit-learn): not a joint model, but hard to beat on cells.

The models learn from rows with a fifth of their cells hidden at random, as those they are
asked about; numbers get a second model for the median.
"""

import time

import numpy as np
from door import Job
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.preprocessing import OrdinalEncoder

MOST_BINS = 255

job = Job()
words = [c for c in job.columns if not job.is_number(c)]
coder = OrdinalEncoder(
    handle_unknown="use_encoded_value",
    unknown_value=np.nan,
    encoded_missing_value=np.nan,
    max_categories=MOST_BINS,
)


def features(table, fit=False):
    """Code words as numbers."""
    out = table.copy()
    if words:
        out[words] = coder.fit_transform(table[words]) if fit else coder.transform(table[words])
    return out.astype(float)


start = time.perf_counter()
x = features(job.train, fit=True)
asked = features(job.holes)
rng = np.random.default_rng(0)
for column in job.columns:
    others = [c for c in job.columns if c != column]
    known = job.train[column].notna().to_numpy()
    holes = rng.random((int(known.sum()), len(others))) < 0.2
    seen = np.where(holes, np.nan, x.loc[known, others].to_numpy())
    rows = asked.loc[job.asked(column), others].to_numpy()
    if not len(rows):
        continue
    kinds = [others.index(c) for c in others if c in words]
    settings = {"categorical_features": kinds, "early_stopping": True, "random_state": 0}
    settings |= {"learning_rate": 0.05, "max_leaf_nodes": 15, "max_iter": 300}
    if job.is_number(column):
        y = job.train.loc[known, column].to_numpy()
        mean = HistGradientBoostingRegressor(**settings).fit(seen, y).predict(rows)
        median = HistGradientBoostingRegressor(loss="absolute_error", **settings).fit(seen, y)
        job.guess_number(column, mean, median.predict(rows))
    else:
        y = job.train.loc[known, column]
        rare = y.map(y.value_counts()) < 20  # boosting many rare classes at once diverges
        model = HistGradientBoostingClassifier(**settings).fit(seen[~rare], y[~rare])
        job.guess_category(column, list(model.classes_), model.predict_proba(rows))
job.clock("fit and cells", start)
job.finish()
