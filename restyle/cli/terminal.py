"""The terminal: results are printed on stdout, messages and progress on stderr."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import traceback
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from restyle.cli.stopping import Stop
from restyle.errors import Cancelled

if TYPE_CHECKING:
    from restyle.cli.progress import Display

__all__ = ["Terminal", "plain"]


class Terminal:
    """One call of the command line: how much it says and in which form, and how it is stopped."""

    def __init__(self, argv: Sequence[str], stop: Stop, *, alone: bool = False) -> None:
        """``alone``: the process is there for this call, and ends with it."""
        self.argv = list(argv)
        self.stop = stop
        self.as_json = "--json" in self.argv  # until the command line is understood
        self.verbose = False
        self.quiet = False
        self._hushed = not alone
        self.job: PurePath | None = None
        """Folder of the job that runs: a stopped one can be resumed."""
        self.source: PurePath | None = None
        """The footage at work."""

    def configure(self, *, verbose: bool, quiet: bool, as_json: bool) -> None:
        """Take over the options that every command has."""
        self.verbose, self.quiet, self.as_json = verbose, quiet, as_json
        self.stop.quiet = quiet
        self.hush_libraries()

    @property
    def may_be_verbose(self) -> bool:
        """Whether the command line looks as if it had ``-v``, which is known for certain once it is understood."""
        return any(re.fullmatch(r"--verbose|-[a-z]*v[a-z]*", word) for word in self.argv)

    def hush_libraries(self) -> None:
        """From now on, what native libraries write on standard error by themselves goes nowhere, and nor do warnings: they tell
        of their own matters, between the lines that a person should read. Ours go where they always went. Does nothing with
        ``-v``, or where others share the process."""
        if self._hushed or self.verbose:
            return
        self._hushed = True
        warnings.simplefilter("ignore")
        sys.stderr.flush()
        ours, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        sys.stderr = open(ours, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: SIM115 (it stays)
        os.dup2(nowhere, 2)
        os.close(nowhere)

    def say(self, text: str) -> None:
        """A message for a person, on stderr; nothing with ``-q``."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def fail(self, error: BaseException, *, name: str, code: int, line: str) -> None:
        """One line on stderr; with ``-v`` the traceback before it, with ``--json`` a document on stdout."""
        if self.verbose:
            traceback.print_exception(error, file=sys.stderr)
        print(f"restyle: {line}", file=sys.stderr, flush=True)
        if self.as_json:
            self.document({"error": {"kind": name, "message": line, "exit_code": code}})

    def stopped(self, error: Cancelled) -> int:
        """One line about work that was stopped, and how it goes on; gives the exit code."""
        code = self.stop.exit_code if self.stop.signal is not None else error.exit_code
        line = "stopped"
        elsewhere = self.job is not None and not isinstance(self.job, Path)
        if elsewhere or (isinstance(self.job, Path) and self.job.exists()):
            line = f"stopped; what is finished is kept. To go on: {self.command_line()}"
        self.fail(error, name="Cancelled", code=code, line=line)
        return code

    def document(self, value: Any) -> None:
        """The JSON document of ``--json``."""
        print(json.dumps(plain(value), indent=2, allow_nan=False), flush=True)

    def line(self, text: str) -> None:
        """A line of the result, on stdout; nothing with ``--json``."""
        if not self.as_json:
            print(text, flush=True)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, left: Iterable[int]) -> None:
        """A table of the result, on stdout; ``left``: columns of text, the others are figures."""
        if self.as_json:
            return
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        text_columns = set(left)
        table = Table(title=Text(title) if title else None, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
        for number, column in enumerate(columns):
            table.add_column(Text(column), justify="left" if number in text_columns else "right", overflow="fold")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        width = None if sys.stdout.isatty() else 160
        Console(markup=False, highlight=False, emoji=False, width=width).print(table)

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and values, one a line, never cut."""
        rows = list(rows)
        wide = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            self.line(f"{name:<{wide}}  {value}")

    def display(self) -> Display:
        """Make the display of progress: use as a context manager, hand it to a job as ``progress``."""
        from restyle.cli.progress import display

        return display(quiet=self.quiet, verbose=self.verbose)

    def command_line(self) -> str:
        """The command line that was typed, ready for a shell; without ``--fresh``, which would throw away what is finished."""
        program = Path(sys.argv[0]).name
        if program == "__main__.py":
            start = [sys.executable, "-m", "restyle"]
        else:
            start = [program if shutil.which(program) else sys.argv[0]]
        end = self.argv.index("--") if "--" in self.argv else len(self.argv)
        return shlex.join([*start, *(arg for arg in self.argv[:end] if arg != "--fresh"), *self.argv[end:]])


def plain(value: Any) -> Any:
    """A value as JSON has it: fractions as ``"24000/1001"``, paths as text, numbers that are none as null."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (Fraction, PurePath)):
        return str(value)
    if isinstance(value, float) and value != value:
        return None
    return value
