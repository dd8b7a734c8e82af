"""The command line, called as a person calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from restyle.cli import main


@dataclass(frozen=True)
class Said:
    """How a call ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout; fails if there is anything else."""
        return json.loads(self.out)


class Caller:
    """Calls the command line in this process: quick. ``start`` gives a process of its own."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capture = capfd

    def __call__(self, *words: object, code: int = 0) -> Said:
        self._capture.readouterr()
        ended = main([str(word) for word in words])
        out, err = self._capture.readouterr()
        said = Said(ended, out, err)
        assert ended == code, f"exit code {ended}, not {code}\n{out}\n{err}"
        return said

    def fails(self, *words: object, code: int) -> str:
        """A call that fails as it should: one line on stderr, no traceback, nothing on stdout. Gives that line."""
        said = self(*words, code=code)
        assert said.out == ""
        lines = [
            line for line in said.err.splitlines() if not line.startswith(("restyle: looking", "restyle: restyling"))
        ]
        assert len(lines) == 1, said.err
        assert lines[0].startswith("restyle: ")
        return lines[0].removeprefix("restyle: ")


def start(*words: object, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "restyle", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
    )
