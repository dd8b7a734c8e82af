"""The application: its commands, its exit codes, and how errors become one line."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Container, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from restyle.cli.panels import PanelCommand
from restyle.cli.terminal import Terminal
from restyle.errors import RestyleError
from restyle.unforeseen import describe

__all__ = ["COMMANDS", "application", "call"]

EPILOG = """\b
Exit codes:
  0  done
  1  'doctor' found something broken; not enough memory
  2  an option or the recipe is wrong
  3  footage cannot be read
  4  the result cannot be written
  5  the job folder cannot be used
  6  a package or a model is missing
  7  a painter failed
  70 internal error
  130, 143  stopped by Ctrl-C, by SIGTERM
  11 to 60  'batch' that has begun: 10 and as many clips as failed

\b
A file name that begins with a dash goes last, after two dashes:
  restyle run -o out.mp4 -- -clip.mp4"""
COMMANDS: Mapping[str, str] = {
    "run": "Restyle footage.",
    "batch": "Restyle many clips: a folder, a pattern or a manifest of them.",
    "studio": "Open a page for looks, objects, keyframes and results.",
    "plan": "Say what would be done, and about how long it takes.",
    "preview": "Paint one keyframe of each shot, on a contact sheet.",
    "look": "Show frames under a grid with coordinates, to see where to point.",
    "matte": "Follow objects, and write their mattes alone.",
    "controls": "Make control maps, or list their kinds.",
    "retime": "Give footage another frame rate, or slow motion.",
    "models": "List the diffusion painter's models, fetch some, or say where they are.",
    "styles": "List the built-in styles, or paint them all on one sheet.",
    "clean": "Give up what finished jobs keep for later changes.",
    "inspect": "Say what footage is: its facts, cuts and motion.",
    "measure": "Measure how steady a result is against its source.",
    "sheets": "Lay neighbouring frames side by side where a result is most likely to fail.",
    "doctor": "Say what is installed, what is missing and what mends it.",
}
"""Name -> what ``restyle --help`` says of it. Each is the function of that name in the module of that name."""
BROKEN_PIPE = 141

# typer exports this one usage error, and not the family that it belongs to (click's, or its own copy of click).
_UsageError: Any = typer.BadParameter.__mro__[1]


def _show_version(wanted: bool) -> None:
    if wanted:
        from restyle import __version__

        print(f"restyle {__version__}")
        raise typer.Exit


def application(words: Container[str] = COMMANDS) -> typer.Typer:
    """Build the application. Only commands whose names are among the ``words`` are imported; the others are just listed."""
    app = typer.Typer(
        name="restyle",
        help="Repaint footage in a new look, frame for frame.",
        epilog=EPILOG,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def restyle(
        version: Annotated[
            bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
        ] = False,
    ) -> None:
        """Repaint footage in a new look, frame for frame."""

    for name, summary in COMMANDS.items():
        function = getattr(import_module(f"restyle.cli.{name}"), name) if name in words else _not_imported
        app.command(name, cls=PanelCommand, short_help=summary)(function)
    return app


def _not_imported() -> None:
    raise RuntimeError("a command was called whose name was not on the command line")


def call(args: Sequence[str], terminal: Terminal) -> int:
    """Run one command; gives the exit code. Every error becomes one line. Raises ``Cancelled`` alone."""
    try:
        if not terminal.may_be_verbose:
            terminal.hush_libraries()  # before the command imports any
        command: Any = typer.main.get_command(application(args))
        code = command.main(args=list(args) or ["--help"], prog_name="restyle", standalone_mode=False, obj=terminal)
        sys.stdout.flush()
        return int(code or 0)
    except BrokenPipeError:
        # The reader of our output has gone; nothing is left to be said, also not by the interpreter's last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except RestyleError as error:
        terminal.fail(error, name=type(error).__name__, code=error.exit_code, line=str(error))
        return error.exit_code
    except _UsageError as error:
        terminal.fail(error, name="UsageError", code=2, line=_usage(error))
        return 2
    except Exception as error:
        name, code, line = describe(error, terminal.source)
        terminal.fail(error, name=name, code=code, line=line)
        return code


def _usage(error: Any) -> str:
    """One line for a wrong command line, with the nearest name that exists."""
    text = " ".join(error.format_message().split())
    near = difflib.get_close_matches(getattr(error, "option_name", ""), getattr(error, "possibilities", None) or (), 1)
    if near:
        text = f"{error.message}, did you mean {near[0]}?"
    where = error.ctx.command_path if error.ctx is not None else "restyle"
    return f"{text[0].lower()}{text[1:]} (see: {where} --help)"
