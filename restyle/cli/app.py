"""The application: its commands, its exit codes, and how errors become one line."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from restyle.cli import looking, making, mapping, retiming, weights
from restyle.cli.stopping import Stop
from restyle.cli.terminal import Terminal
from restyle.errors import Cancelled, RestyleError
from restyle.memory import keep_freed_memory

__all__ = ["main"]

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

\b
A file name that begins with a dash goes last, after two dashes:
  restyle run -o out.mp4 -- -clip.mp4"""
COMMANDS: dict[Callable[..., None], str] = {
    making.run: "Restyle footage.",
    making.plan: "Say what would be done, and about how long it takes.",
    making.preview: "Paint one keyframe of each shot, on a contact sheet.",
    making.matte: "Follow objects, and write their mattes alone.",
    mapping.controls: "Make control maps, or list their kinds.",
    retiming.retime: "Give footage another frame rate, or slow motion.",
    weights.models: "List the diffusion painter's models, fetch some, or say where they are.",
    looking.styles: "List the built-in styles, or paint them all on one sheet.",
    looking.inspect: "Say what footage is: its facts, cuts and motion.",
    looking.measure: "Measure how steady a result is against its source.",
    looking.doctor: "Say what is installed, what is missing and what mends it.",
}
INTERNAL = 70  # EX_SOFTWARE of sysexits.h
BROKEN_PIPE = 141

# typer exports this one usage error, and not the family that it belongs to (click's, or its own copy of click).
_UsageError: Any = typer.BadParameter.__mro__[1]


def _show_version(wanted: bool) -> None:
    if wanted:
        from restyle import __version__

        print(f"restyle {__version__}")
        raise typer.Exit


def _application() -> typer.Typer:
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

    for command, what in COMMANDS.items():
        app.command(short_help=what)(command)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; gives the exit code. ``argv``: without the program's name; by default ``sys.argv``'s."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # whatever imports onnxruntime: see controls.onnx
    args = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a file name may hold what the terminal's encoding does not
    keep_freed_memory()
    with Stop() as stop:
        terminal = Terminal(args, stop)
        try:
            command: Any = typer.main.get_command(_application())
            code = command.main(args=args or ["--help"], prog_name="restyle", standalone_mode=False, obj=terminal)
            sys.stdout.flush()
            return int(code or 0)
        except BrokenPipeError:
            # Whoever read our output has gone; nothing is left to be said, also not by the interpreter's last flush.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
        except Cancelled as error:
            stop.settle()
            return _stopped(terminal, error)
        except RestyleError as error:
            terminal.fail(error, name=type(error).__name__, code=error.exit_code, line=str(error))
            return error.exit_code
        except _UsageError as error:
            terminal.fail(error, name="UsageError", code=2, line=_usage(error))
            return 2
        except MemoryError as error:
            line = "not enough memory: close other programs, or take smaller pictures (--range, a smaller clip)"
            terminal.fail(error, name="MemoryError", code=RestyleError.exit_code, line=line)
            return RestyleError.exit_code
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())
            line = f"internal error: {what} (run with -v for the traceback, please report it)"
            terminal.fail(error, name="InternalError", code=INTERNAL, line=line)
            return INTERNAL


def _stopped(terminal: Terminal, error: Cancelled) -> int:
    code = terminal.stop.exit_code if terminal.stop.signal is not None else error.exit_code
    if terminal.job is not None and terminal.job.exists():
        line = f"stopped; what is finished is kept. To go on: {terminal.command_line()}"
    else:
        line = "stopped"
    terminal.fail(error, name="Cancelled", code=code, line=line)
    return code


def _usage(error: Any) -> str:
    """One line for a wrong command line, with the nearest name that exists."""
    text = " ".join(error.format_message().split())
    near = difflib.get_close_matches(getattr(error, "option_name", ""), getattr(error, "possibilities", None) or (), 1)
    if near:
        text = f"{error.message}, did you mean {near[0]}?"
    where = error.ctx.command_path if error.ctx is not None else "restyle"
    return f"{text[0].lower()}{text[1:]} (see: {where} --help)"
