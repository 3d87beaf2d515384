"""The interpreter asked directly: what names lead to before every simple statement.

Runs as a script of its own and imports nothing of what it judges. It needs no trace
function: a call to `__probe__` is written into the snippet's syntax tree before each simple
statement. The probe keeps every value that it saw, so that an address means one object.
"""

import ast
import builtins
import io
import json
import site
import sys

NAME = "<asked>"
SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Raise, ast.Delete)
SIMPLE += (ast.Assert, ast.Pass, ast.Break, ast.Continue, ast.Import, ast.ImportFrom)
HIDDEN = {"__builtins__", "__file__", "__name__", "__doc__", "__package__", "__loader__"}
HIDDEN |= {"__spec__", "__annotations__", "__class__", "__classcell__", "__classdict__"}
HIDDEN |= {"__module__", "__qualname__", "__firstlineno__", "__static_attributes__"}
HIDDEN |= {"__type_params__"}
INLINED = ("<listcomp>", "<setcomp>", "<dictcomp>")


class Instrument(ast.NodeTransformer):
    def visit(self, node):
        self.generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                setattr(node, field, [new for old in block for new in self.probed(old)])
        return node

    def probed(self, statement):
        if isinstance(statement, SIMPLE):
            probe = ast.parse(f"__probe__({statement.lineno})").body[0]
            for part in ast.walk(probe):
                if hasattr(part, "lineno"):
                    part.lineno = part.end_lineno = statement.lineno
            yield probe
        yield statement


def canon(value, above=()):
    """Write plain data; None for anything else, and for data inside itself."""
    if id(value) in above:
        return None
    above = (*above, id(value))
    if type(value) in (int, float, complex, str, bytes, bool, type(None)):
        return repr(value)
    if type(value) in (list, tuple, set, frozenset):
        parts = [canon(one, above) for one in value]
    elif type(value) is dict:
        parts = []
        for key, one in value.items():
            parts += [canon(key, above), canon(one, above)]
    else:
        return None
    if None in parts:
        return None
    if type(value) in (set, frozenset):
        parts.sort()
    return f"{type(value).__name__}({', '.join(parts)})"


def main():
    source = sys.stdin.read()
    out, sys.stdout = sys.stdout, io.StringIO()
    sys.stderr, sys.stdin = io.StringIO(), io.StringIO()
    kept, seen = [], []

    def probe(line):
        frames, at = [], sys._getframe(1)
        while at is not None:
            code = at.f_code
            if code.co_filename == NAME and code.co_name not in INLINED:
                # From 3.12 on f_locals of a module also has what a comprehension hides.
                held = at.f_globals if code.co_name == "<module>" else at.f_locals
                names = {
                    k: v
                    for k, v in dict(held).items()
                    if type(k) is str and k not in HIDDEN and not k.startswith(".")
                }
                kept.append(list(names.values()))
                told = {k: [id(v), type(v).__name__, canon(v)] for k, v in names.items()}
                frames.append([code.co_name, told])
            at = at.f_back
        handled = sys.exc_info()[0]
        handled = handled.__name__ if handled else None
        seen.append({"line": line, "frames": frames[::-1], "handled": handled})

    builtins.__probe__ = probe
    site.setquit()  # as in a session: it was started without, which is faster
    tree = ast.fix_missing_locations(Instrument().visit(ast.parse(source)))
    raised = None
    try:
        exec(compile(tree, NAME, "exec"), {"__name__": "__main__", "__builtins__": builtins})
    except BaseException as error:
        raised = [type(error).__name__, str(error)]
    json.dump({"probes": seen, "output": sys.stdout.getvalue(), "raised": raised}, out)


if __name__ == "__main__":
    main()
