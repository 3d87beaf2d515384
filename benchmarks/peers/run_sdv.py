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
metadata = Metadata.detect_from_dataframe(job.train, infer_sdtypes=False, infer_keys=None)
for column in job.columns:
    sort = "numerical" if job.is_number(column) else "categorical"
    metadata.update_column(column_name=column, sdtype=sort)
start = time.perf_counter()
model = KINDS[name](metadata)
model.fit(job.train)
job.clock("fit", start)
start = time.perf_counter()
job.samples(model.sample(job.settings["n_samples"]))
job.clock("sample", start)
job.finish()
