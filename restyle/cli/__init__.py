"""The command line: arguments -> ``Recipe`` -> ``Job``. No logic of its own; one module a command.

What is imported here is little: from the first moment on, a stop is a stop, also while all the rest is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from restyle.cli.stopping import Stop
from restyle.cli.terminal import Terminal
from restyle.errors import Cancelled
from restyle.memory import keep_freed_memory

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; gives the exit code. ``argv``: without the program's name; by default ``sys.argv``'s."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # whatever imports onnxruntime: see controls.onnx
    args = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a file name may hold what the terminal's encoding does not
    keep_freed_memory()
    with Stop() as stop:
        terminal = Terminal(args, stop, alone=argv is None)
        try:
            from restyle.cli.app import call

            stop.check()
            return call(args, terminal)
        except Cancelled as error:
            stop.settle()
            return terminal.stopped(error)


def _open_closed_streams() -> None:
    """Open what the shell closed of standard input, output and error: the next file opened would get its number, and what a
    library prints would go into that file."""
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(spare)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (it stays)
