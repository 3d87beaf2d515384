"""The kernel's part in confining a snippet: Landlock for files, seccomp for the rest (Linux).

Both hold whatever happens inside the interpreter, and neither can be undone by the process.
Sources: kernel documentation, userspace-api/landlock.rst and userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import os
import struct
import sys

_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same number everywhere
_EXECUTE, _WRITE, _READ, _READ_DIR, _REMOVE_FILE, _MAKE_REG = 1, 2, 4, 8, 32, 256
_ALL_FILES = (1 << 13) - 1  # what the first version of Landlock handles
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ERRNO with EPERM
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_CALLS = {  # name: its numbers on x86_64 and aarch64, -1 where there is none
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "clone": (56, 220),
    "fork": (57, -1),
    "vfork": (58, -1),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "keyctl": (250, 219),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "prlimit64": (302, 261),
    "chmod": (90, -1),
    "fchmodat": (268, 53),
    "chown": (92, -1),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    "reboot": (169, 142),
}


def restrict(readable: list[str], folder: str) -> list[str]:
    """Give up rights for good; return what was given up, in words.

    Args:
        readable: folders below which files may be read.
        folder: where files may also be made, written and removed.

    """
    machine = _MACHINES.get(os.uname().machine) if sys.platform == "linux" else None
    if machine is None or sys.maxsize < 2**32:
        return []
    try:
        import ctypes
    except ImportError:
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        return []
    done: list[str] = []
    if _landlock(ctypes, libc, readable, folder):
        done.append("files (Landlock)")
    if _seccomp(ctypes, libc, *machine):
        done.append("processes and networks (seccomp)")
    return done


def _landlock(ctypes, libc, readable: list[str], folder: str) -> bool:  # type: ignore[no-untyped-def]
    rules = struct.pack("=Q", _ALL_FILES)
    ruleset = libc.syscall(_CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False  # an older kernel, or Landlock is switched off
    may_read = _READ | _READ_DIR
    allowed = [(path, may_read) for path in readable]
    allowed.append((folder, may_read | _WRITE | _REMOVE_FILE | _MAKE_REG))
    for path, rights in allowed:
        try:
            below = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # a folder of the search path that is not there
        if not os.path.isdir(path):
            rights &= _READ | _WRITE
        libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, below), 0)
        os.close(below)
    failed = libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return not failed


def _seccomp(ctypes, libc, arch: int, column: int) -> bool:  # type: ignore[no-untyped-def]
    numbers = [both[column] for both in _CALLS.values() if both[column] >= 0]
    code = [
        (0x20, 0, 0, 4),  # load the architecture
        (0x15, 1, 0, arch),  # the expected one: skip the refusal
        (0x06, 0, 0, _REFUSE),
        (0x20, 0, 0, 0),  # load the number of the call
        (0x35, len(numbers) + 1, 0, 0x40000000),  # x32 calls: refused
    ]
    code += [(0x15, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    code += [(0x06, 0, 0, _ALLOW), (0x06, 0, 0, _REFUSE)]
    program = b"".join(struct.pack("=HBBI", *one) for one in code)
    held = ctypes.create_string_buffer(program, len(program))
    filled = struct.pack("@HP", len(code), ctypes.addressof(held))
    return not libc.prctl(_SET_SECCOMP, _FILTER, filled, 0, 0)
