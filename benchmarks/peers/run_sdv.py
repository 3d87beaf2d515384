"""SDV: GaussianCopula, CTGAN and TVAE with their defaults; samples only.

Conditions are met by rejection, which gives up on rows with many known cells.
"""

import sys
import time
from pathlib import Path

from door import Job
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer

KINDS = {
    "copula": GaussianCopulaSynthesizer,
    "ctgan": CTGANSynthesizer,
    "tvae": TVAESynthesizer,
}
job = Job()
name = Path(sys.argv[2]).name.removeprefix("sdv_")
sorts = {c: {"sdtype": "numerical" if job.is_number(c) else "categorical"} for c in job.columns}
metadata = Metadata.load_from_dict({"tables": {"table": {"columns": sorts}}})
start = time.perf_counter()
model = KINDS[name](metadata)
model.fit({"table": job.train})
job.clock("fit", start)
start = time.perf_counter()
drawn = model.sample(job.settings["n_samples"])
job.samples(drawn["table"] if isinstance(drawn, dict) else drawn)
job.clock("sample", start)
job.finish()
