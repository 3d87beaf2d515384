"""Narrows what a snippet's process can do, before the snippet's first line.

Three layers, each on its own: resource limits, a kernel filter (Linux: Landlock for files,
seccomp for processes and networks), and an audit hook in the interpreter that refuses with
a message. The hook alone is no sandbox: code that corrupts memory or digs in the
interpreter's frames gets past it, and then the kernel's filter is what is left.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

_EVENTS = """
array.__new__ builtins.id builtins.input builtins.input/result code.__new__ compile exec import
cpython.PyInterpreterState_Clear cpython._PySys_ClearAuditHooks function.__new__ gc.get_referents
gc.get_referrers glob.glob marshal.dumps marshal.load marshal.loads object.__delattr__
object.__getattr__ object.__setattr__ os.putenv os.unsetenv pickle.find_class sys._getframe
sys._getframemodulename sys.excepthook sys.monitoring.register_callback
sys.set_asyncgen_hook_finalizer sys.set_asyncgen_hook_firstiter sys.unraisablehook
tempfile.mkdtemp tempfile.mkstemp time.sleep
"""
_MODULES = """
_ctypes _interpreters _testbuffer _testcapi _testinternalcapi _testlimitedcapi _xxsubinterpreters
cffi ctypes
"""
_HARMLESS = frozenset(_EVENTS.split())  # what is not here is looked at, or refused
_NO_IMPORT = frozenset(_MODULES.split())  # what reaches around the interpreter
_READ_DIRECTORY = frozenset(("os.listdir", "os.scandir"))


def limit_resources(memory_mb: int, seconds: float) -> list[str]:
    """Set the kernel's limits; return what was set, in words.

    Args:
        memory_mb: address space of the process, in 2^20 bytes.
        seconds: of processor time; the parent keeps the time on the wall.

    """
    try:
        import resource
    except ImportError:
        return []  # Windows: the parent's clock is all there is
    cpu = int(seconds) + 1
    wanted = {
        "memory": ("RLIMIT_AS", memory_mb << 20),
        "processor time": ("RLIMIT_CPU", cpu),
        "size of files": ("RLIMIT_FSIZE", 1 << 20),
        "open files": ("RLIMIT_NOFILE", 32),
        "core dumps": ("RLIMIT_CORE", 0),
        "processes": ("RLIMIT_NPROC", 0),  # the superuser is above this one
    }
    done: list[str] = []
    for words, (name, value) in wanted.items():
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
            done.append(words)
        except (AttributeError, OSError, ValueError):
            continue  # a limit this system does not have
    return done


def refuse(
    folder: str, told: Callable[[str], None], also: Callable[[str], bool] = lambda event: False
) -> None:
    """Install the audit hook; it cannot be taken out again.

    Args:
        folder: where files may be read and written.
        told: hears of each refusal.
        also: says whether an event is let through besides.

    """
    roots = tuple({os.path.realpath(p) + os.sep for p in sys.path if p})
    own = os.path.realpath(folder)
    realpath, join = os.path.realpath, os.path.join

    def inside(path: Any, write: bool) -> bool:
        if type(path) is int:
            return False  # a descriptor that somebody else opened
        full = realpath(os.fsdecode(path if path is not None else "."))
        if full == own or full.startswith(join(own, "")):
            return True
        return not write and (full + os.sep).startswith(roots)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in _HARMLESS:
            if event != "import" or args[0].partition(".")[0] not in _NO_IMPORT:
                return
        elif event == "open":
            path, mode, flags = args
            write = bool((flags or 0) & ~(os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)))
            if inside(path, write or bool(set(mode or "") & set("wax+"))):
                return
        elif event in ("sys.settrace", "sys.setprofile") and also(event):
            return
        elif event in _READ_DIRECTORY:
            if inside(args[0], write=False):
                return
        elif event == "os.remove":
            if inside(args[0], write=True):
                return
        elif event == "socket.__new__" and args[1] == 1:  # AF_UNIX: an event loop's own pair
            return
        what = " ".join([event, *(repr(a)[:60] for a in args if type(a) in (str, int))])
        told(what)
        error = ImportError if event == "import" else PermissionError
        raise error(f"the lens does not let a snippet do this: {what}")

    sys.addaudithook(hook)
