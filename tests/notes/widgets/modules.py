"""A widget's own functions, run by Node as a page would run them; and with a bug planted."""

import json
import shutil
import subprocess
from pathlib import Path

from notes import widgets

RUN = Path(__file__).with_name("run.mjs")
NO_NODE = (
    "The widgets' functions are tested with Node, and there is no `node` here. Install Node 18 "
    "or later (Debian and Ubuntu: apt-get install nodejs; others: https://nodejs.org)."
)


class Module:
    """A widget's module, as one file."""

    def __init__(self, name, work, folder=widgets.FOLDER):
        self.name, self.work, self.folder = name, work, folder
        self.path = work / f"{name}.mjs"
        self.path.write_text(widgets.source(name, folder), encoding="utf-8")

    def call(self, function, cases):
        """What a function gives for each list of arguments."""
        results = self.run(function, cases)
        problems = [r["problem"] for r in results if "problem" in r]
        assert not problems, problems
        return [result.get("value") for result in results]

    def problems(self, function, cases):
        """What it says of each list of arguments that it cannot read: (English, Chinese)."""
        results = self.run(function, cases)
        assert all("problem" in r for r in results), results
        return [tuple(result["problem"]) for result in results]

    def run(self, function, cases):
        assert shutil.which("node"), NO_NODE
        done = subprocess.run(
            ["node", str(RUN), str(self.path), function],
            input=json.dumps(cases),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout, object_hook=_number)

    def planted(self, right, wrong):
        """The same module with another text in the place of one."""
        folder = self.work / "planted"
        folder.mkdir()
        for name in ("kit", self.name):
            text = (self.folder / f"{name}.js").read_text(encoding="utf-8")
            if name == self.name:
                assert text.count(right) == 1, f"{right!r} must occur once in {name}.js"
                text = text.replace(right, wrong)
            (folder / f"{name}.js").write_text(text, encoding="utf-8")
        return Module(self.name, folder, folder)


def _number(read):
    return float(read["number"]) if read.keys() == {"number"} else read
