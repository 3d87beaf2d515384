"""arfpy: adversarial random forests with their defaults; samples only, rows without gaps."""

import time
import warnings

from arfpy import arf
from door import Job

warnings.filterwarnings("ignore")  # two for each row, gigabytes in the log
job = Job()
start = time.perf_counter()
whole = job.train.dropna().reset_index(drop=True)
model = arf.arf(x=whole, verbose=False)
model.forde()
job.clock("fit", start)
start = time.perf_counter()
job.samples(model.forge(n=job.settings["n_samples"]))
job.clock("sample", start)
job.finish()
