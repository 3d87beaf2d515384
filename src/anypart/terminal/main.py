"""The `anypart` command: every verb in the shell, errors as one line, exit codes.

Exit codes: 0 done, 2 a mistake of the caller's (one message on stderr), 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group

from anypart import __version__
from anypart.base.errors import AnypartError
from anypart.terminal import answers, decide, demo, fit, inspection, rows
from anypart.terminal.study import study

app = App(
    name="anypart",
    help="Fit once. Ask for any part of a table's row, given any other part.",
    help_epilogue="Try it: `anypart demo` fits a small table and shows what can be asked.",
    version=__version__,
    suppress_keyboard_interrupt=False,
)

_START, _ASK, _CHECK = (
    Group.create_ordered("Start"),
    Group.create_ordered("Ask"),
    Group.create_ordered("Check"),
)
_COMMANDS = {
    _START: (demo.demo, fit.profile, fit.fit),
    _ASK: (answers.ask, rows.sample, rows.complete, rows.score, decide.decide),
    _CHECK: (inspection.audit, inspection.dependence, inspection.evaluate, inspection.report),
}
for _group, _verbs in _COMMANDS.items():
    for _verb in _verbs:
        app.command(_verb, group=_group)
study.group = Group.create_ordered("Study")
app.command(study)
app.register_install_completion_command(help="Install tab completion for this shell.")


def main(tokens: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        tokens: the words after `anypart`; those of this process if None.

    Returns:
        The exit code: 0, 2 after a mistake of the caller's, 130 after an interrupt.

    """
    # A polite stop (kill, a closed terminal, a cluster's time limit) is Ctrl-C to a fit.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        words = ["anypart", *(error.command_chain or ()), "--help"]
        return _refuse(f"{error} See `{' '.join(words)}`.")
    except AnypartError as error:
        return _refuse(str(error))
    except KeyboardInterrupt as stop:
        print(f"anypart: {str(stop) or 'Stopped; nothing was written.'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has what it wants; the flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{where}{error.strerror or error}. Check the path, rights and free space.")
    return 0


def _refuse(message: str) -> int:
    print(f"anypart: {message}", file=sys.stderr)
    return 2
