"""The reference: every public name, command and error of the package, from its docstring."""

from __future__ import annotations

import inspect
import pkgutil
import re
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

_FOLDERS = ("base", "calculus", "data", "lens", "models", "optim", "queries", "scores", "studio")
_NOT_SHOWN = ("anypart.terminal", "anypart.lens.python.inside")
COMMANDS = "anypart-command"


@dataclass(frozen=True)
class Entry:
    """What the reference says of one name.

    Args:
        name: to import it by, or to type in a shell.
        kind: `function`, `class`, `method`, `property`, `value` or `command`.
        signature: how it is called, '' where it is not.
        doc: its docstring.
        members: of a class.

    """

    name: str
    kind: str
    signature: str
    doc: str
    members: tuple[Entry, ...] = ()

    @property
    def anchor(self) -> str:
        """Return its anchor on its page."""
        return self.name.replace(" ", "-")

    @property
    def short(self) -> str:
        """Return its name as its page calls it: a member with its class."""
        if self.kind == "command":
            return self.name
        return ".".join(self.name.split(".")[-2 if self.kind in ("method", "property") else -1 :])


@dataclass(frozen=True)
class Page:
    """A page of the reference.

    Args:
        name: the module, or `anypart-command`.
        doc: of the module.
        faces: what the module exports, or the commands.
        inside: modules with their docstrings, and what they hold that no face exports.

    """

    name: str
    doc: str
    faces: tuple[Entry, ...]
    inside: tuple[tuple[str, str, tuple[Entry, ...]], ...] = ()

    @property
    def file(self) -> str:
        """Return the name of its file."""
        return f"{self.name}.html"


class Reference:
    """All pages, and the way from a name to its entry."""

    def __init__(self) -> None:
        modules = _modules()
        faces = [m for m in modules if hasattr(m, "__all__")]
        self._homes = dict[tuple[str, str], tuple[str, str]]()  # object → page, anchor
        exported = {face.__name__: self._exported(face) for face in _by_nearness(faces)}
        groups: dict[str, dict[str, tuple[Entry, ...]]] = {}
        for module in modules:
            page = _page_of(module.__name__, set(exported))
            found = self._defined(module, page)
            if found:
                groups.setdefault(page, {})[module.__name__] = found
        names = sorted({*exported, *groups})
        pages = [self._page(name, exported.get(name, ()), groups.get(name, {})) for name in names]
        self.pages = (*pages, _commands())

    def find(self, name: str) -> str | None:
        """Return `page.html#anchor` of a full public name; None if it cannot be imported."""
        words = name.split(".")
        if words[0] != "anypart":
            return None
        # A function may be called as its module is: what a name holds comes before modules.
        for cut in (*range(len(words) - 1, 0, -1), len(words)):
            try:
                module = import_module(".".join(words[:cut]))
            except ImportError:
                continue
            found = self._within(module, words[cut:])
            if found:
                return found
        return None

    def _within(self, module: ModuleType, words: list[str]) -> str | None:
        if not words:
            page = next((p for p in self.pages if p.name == module.__name__), None)
            if page:
                return page.file
            inside = {m: page for page in self.pages for m, *_ in page.inside}
            page = inside.get(module.__name__)
            return None if page is None else f"{page.file}#{module.__name__}"
        value = getattr(module, words[0], None)
        home = self._homes.get(_key(value, module.__name__, words[0]))
        if home is None or any(not hasattr(value, word) for word in words[1:2]):
            return None
        page, anchor = home
        return f"{page}.html#{'.'.join([anchor, *words[1:2]])}"

    def _page(self, name: str, faces: tuple[Entry, ...], inside: dict[str, Any]) -> Page:
        doc = import_module(name).__doc__ or ""
        held = ((m, import_module(m).__doc__ or "", inside[m]) for m in sorted(inside))
        return Page(name, doc, faces, tuple(held))

    def _exported(self, face: ModuleType) -> tuple[Entry, ...]:
        """Describe what a face exports and no nearer one has described."""
        found = list[Entry]()
        for name in sorted(face.__all__, key=str.casefold):
            value = getattr(face, name)
            key = _key(value, face.__name__, name)
            if key not in self._homes and not inspect.ismodule(value):
                self._homes[key] = (face.__name__, f"{face.__name__}.{name}")
                found.append(_entry(value, f"{face.__name__}.{name}"))
        return tuple(found)

    def _defined(self, module: ModuleType, page: str) -> tuple[Entry, ...]:
        """Describe the functions and classes that a module defines and no face exports."""
        found = list[Entry]()
        for name, value in sorted(vars(module).items()):
            own = getattr(value, "__module__", None) == module.__name__
            kind = inspect.isclass(value) or inspect.isroutine(value) or callable(value)
            key = _key(value, module.__name__, name)
            if name.startswith("_") or not own or not kind or key in self._homes:
                continue
            self._homes[key] = (page, f"{module.__name__}.{name}")
            found.append(_entry(value, f"{module.__name__}.{name}"))
        return tuple(found)


def _modules() -> list[ModuleType]:
    """Import every module of the package that is shown."""
    package = import_module("anypart")
    names = [m.name for m in pkgutil.walk_packages(package.__path__, "anypart.", onerror=None)]
    shown = [n for n in names if not n.startswith(_NOT_SHOWN) and "._" not in n]
    return [package, *(import_module(name) for name in shown)]


def _by_nearness(faces: list[ModuleType]) -> list[ModuleType]:
    """Put the package's own face first, then the deeper ones before those above them."""
    return sorted(faces, key=lambda face: (face.__name__ != "anypart", -face.__name__.count(".")))


def _page_of(module: str, faces: set[str]) -> str:
    """Name the page of what a module holds inside: its nearest face, or its folder."""
    words = module.split(".")
    folders = {f"anypart.{folder}" for folder in _FOLDERS}
    ways = (".".join(words[:cut]) for cut in range(len(words), 0, -1))
    return next((way for way in ways if way in faces | folders), "anypart")


def _key(value: Any, module: str, name: str) -> tuple[str, str]:
    """Name an object by where it is defined; a plain value by where it is found."""
    home = getattr(value, "__module__", None)
    own = getattr(value, "__qualname__", None)
    if not (home and own and (inspect.isclass(value) or inspect.isroutine(value))):
        return module, name
    return home, own


def _entry(value: Any, name: str) -> Entry:
    if inspect.isclass(value):
        members = sorted(_members(value, name), key=lambda entry: entry.name.casefold())
        return Entry(name, "class", _signature(value), inspect.getdoc(value) or "", tuple(members))
    if callable(value):
        return Entry(name, "function", _signature(value), inspect.getdoc(value) or "")
    shown = repr(value)
    return Entry(name, "value", "", f"`{shown}`" if len(shown) < 200 else "")


def _members(owner: type, name: str) -> list[Entry]:
    """Describe the public methods and properties that a class defines or inherits from ours."""
    found = dict[str, Entry]()
    for kind in reversed(owner.__mro__):
        if not kind.__module__.startswith("anypart"):
            continue
        for word, value in vars(kind).items():
            if word.startswith("_"):
                continue
            plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            doc = inspect.getdoc(plain) or ""
            if isinstance(plain, property) or type(plain).__name__ == "cached_property":
                found[word] = Entry(f"{name}.{word}", "property", "", doc)
            elif inspect.isfunction(plain):
                found[word] = Entry(f"{name}.{word}", "method", _signature(plain), doc)
    return list(found.values())


def _signature(value: Any) -> str:
    """Write how something is called, types as in the source, one parameter a line if long."""
    try:
        signature = inspect.signature(value)
    except (ValueError, TypeError):
        return "(…)"
    shown = re.sub(r"((?:: |-> ))'((?:[^'\\]|\\.)*)'", r"\1\2", str(signature))
    shown = re.sub(r"<([\w.]+)[^<>]* at 0x\w+>|<class '([\w.]+)'>", r"\1\2", shown)
    shown = re.sub(r"\((self|cls)(?:, )?", "(", shown, count=1)
    if len(shown) <= 76 or not signature.parameters:
        return shown
    head, arrow, result = shown.rpartition(") -> ")
    inner = (head or shown.rstrip(")"))[1:]
    return "(\n    " + ",\n    ".join(_split(inner)) + ",\n)" + (f" -> {result}" if arrow else "")


def _split(inner: str) -> list[str]:
    """Part parameters at the commas that are in no brackets and no words of text."""
    found, depth, last = list[str](), 0, 0
    covered = re.sub(r"'[^']*'|\"[^\"]*\"", lambda text: "·" * len(text[0]), inner)
    for at, letter in enumerate(covered):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            found.append(inner[last:at].strip())
            last = at + 1
    return [*found, inner[last:].strip()]


def _commands() -> Page:
    """Describe every command, `anypart study …` among them."""
    from anypart.terminal.main import app

    found = list[Entry]()
    for word in (w for w in app if not w.startswith("-")):
        command = app[word]
        if command.default_command is not None:
            found.append(_command(command, f"anypart {word}"))
        deeper = [w for w in command if not w.startswith("-")]
        found += [_command(command[w], f"anypart {word} {w}") for w in deeper]
    doc = "\n\n".join(str(text) for text in (app.help, app.help_epilogue) if text)
    return Page(COMMANDS, doc, tuple(found))


def _command(command: Any, name: str) -> Entry:
    """Describe a command; its arguments are called as they are typed."""
    doc = inspect.getdoc(command.default_command) or ""
    usage = list[str]()
    for argument in command.assemble_argument_collection():
        names, needed = list(argument.names), argument.required
        if not names:
            continue
        doc = re.sub(
            rf"^    {argument.field_info.name}:", f"    {', '.join(names)}:", doc, flags=re.M
        )
        usage.append(names[0] if needed else f"[{names[0]}]")
    return Entry(name, "command", " " + " ".join(usage), doc)
