"""Plants a bug in a copy of a shipped source file and puts the copy in its place."""

from __future__ import annotations

import importlib
import inspect
import sys
import types


def plant(monkeypatch, module_name, right, wrong):
    """Replace `right` by `wrong` in the module's source; undone by monkeypatch."""
    module = importlib.import_module(module_name)
    source = inspect.getsource(module)
    assert source.count(right) == 1, f"{module_name} has {source.count(right)} times {right!r}"
    copy = types.ModuleType(module_name)
    exec(compile(source.replace(right, wrong), f"{module_name} (planted)", "exec"), copy.__dict__)
    for name, new in vars(copy).items():
        old = vars(module).get(name)
        if getattr(new, "__module__", None) != module_name:
            continue
        if inspect.isclass(new):
            for key, method in vars(new).items():
                if inspect.isfunction(method):
                    monkeypatch.setattr(old, key, method)
        elif inspect.isfunction(new):
            for user in list(sys.modules.values()):
                in_use = getattr(user, "__name__", "").startswith("anypart.")
                if in_use and vars(user).get(name) is old:
                    monkeypatch.setattr(user, name, new)
