"""Ask one peer for the receptive field of ResNet-50, and of three dilated layers.

Runs in an environment of its own: ``run_field.py PEER FILE``, the file that has `resnet50`.
Prints JSON: question → [seconds by the clock, by CPU, answer], or a reason.
"""

import contextlib
import importlib.util
import io
import json
import sys
import sysconfig
import time
import warnings
from pathlib import Path

import torch

warnings.simplefilter("ignore")
nets = {}
exec(Path(sys.argv[2]).read_text(), nets)


def dilated(n_axes):
    """Three layers of kernel 3, dilated 1, 2 and 4; the field is 15."""
    conv = (torch.nn.Conv1d, torch.nn.Conv2d)[n_axes - 1]
    return torch.nn.Sequential(*[conv(3, 3, 3, dilation=d, padding=d) for d in (1, 2, 4)])


def torchscan(make):
    from torchscan.crawler import crawl_module

    found = crawl_module(make(), (3, 224, 224))
    return found["layers"][-1]["metrics"]["receptive_field"]["value"]


def rf_calc(make):
    # Another peer's folder of the same name hides the module.
    path = Path(sysconfig.get_paths()["purelib"]) / "rf_calc.py"
    spec = importlib.util.spec_from_file_location("rf_calc_module", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.receptive_field(make(), 224)["Receptive_field"].iloc[-1]


def receptivefield(make):
    from receptivefield.pytorch import PytorchReceptiveField

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = make()

        def forward(self, x):
            y = self.net(x)
            self.feature_maps = [y]
            return y

    field = PytorchReceptiveField(Net).compute(input_shape=(512, 512, 3))[0]
    return field.rf.size.h


def search_rf(make):
    from rf_calc import search_rf as search

    return int(search(make(), (3, 64)))


def ask(find, make):
    """Return the time and the answer, or why there is none."""
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = str(find(make))
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:80]}"
    return [time.perf_counter() - wall, time.process_time() - cpu, found]


ASKED = {
    "torchscan": torchscan,
    "rf-calc": rf_calc,
    "receptivefield": receptivefield,
    "receptive-field-calculation": search_rf,
}
peer = sys.argv[1]
n_axes = 1 if peer == "receptive-field-calculation" else 2
print(
    json.dumps(
        {
            "ResNet-50": ask(ASKED[peer], nets["resnet50"]),
            "dilated": ask(ASKED[peer], lambda: dilated(n_axes)),
        }
    )
)
