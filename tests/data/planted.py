"""A copy of a shipped module with a bug planted in its source."""

import inspect
import sys
import types


def planted(module, old, new):
    source = inspect.getsource(module)
    assert source.count(old) == 1, f"{old!r} must occur once in the source"
    copy = types.ModuleType(f"{module.__name__}_planted")
    copy.__file__ = module.__file__
    sys.modules[copy.__name__] = copy  # dataclasses look their module up
    exec(compile(source.replace(old, new), copy.__name__, "exec"), copy.__dict__)
    return copy
