"""Runs the command line in processes of its own: forked from one that has imported everything, or started anew."""

from __future__ import annotations

import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attacks import painter
from controls.onnx import load_onnxruntime

__all__ = ["LIMIT", "Ended", "call", "preload", "start"]

LIMIT = 60.0
"""Seconds after which a call counts as hung."""
MEMORY = 4 << 30
"""Bytes of address space that a call may take."""
UNCAUGHT = 99
"""How a call ends whose exception came through ``main``; no exit code of the product."""
HEAVY = (
    "yaml",
    "av",
    "cv2",
    "scenedetect.detectors",
    "restyle.job.keyframe_maps",
    "restyle.job.job",
    "restyle.job.clean_plates",
    "restyle.retiming.retimer",
    "restyle.job.window_report",
)
LAUNCHER = Path(__file__).with_name("killed.py")


@dataclass(frozen=True)
class Ended:
    """How a call of the command line ended. ``code``: as ``subprocess`` has it, negative for a signal; ``None``: it hung."""

    words: tuple[str, ...]
    code: int | None
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> dict[str, Any]:
        """What ``--json`` printed; empty if that was nothing or no JSON."""
        with suppress(ValueError):
            found = json.loads(self.out)
            if isinstance(found, dict):
                return found
        return {}

    @property
    def notes(self) -> list[str]:
        return self.document.get("notes", [])


def preload() -> None:
    """Import all that a call needs, once, before anything is forked; and make the sweeps' own painter known."""
    load_onnxruntime()
    for name in HEAVY:
        importlib.import_module(name)
    importlib.import_module("restyle.cli.app").application()  # imports every command
    painter.register()


def call(words: Sequence[object], *, cwd: Path, temp: Path, memory: int = MEMORY, limit: float = LIMIT) -> Ended:
    """``restyle WORDS`` in a fork of this process: as good as a new one, and quick."""
    spoken = tuple(map(str, words))
    logs = [cwd.parent / f".{cwd.name}.{name}" for name in ("out", "err")]
    began = time.monotonic()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _child(spoken, cwd, temp, logs, memory)
    code = _wait(pid, limit)
    out, err = (log.read_text(errors="replace") if log.exists() else "" for log in logs)
    for log in logs:
        log.unlink(missing_ok=True)
    return Ended(spoken, code, out, err, time.monotonic() - began)


def _child(words: tuple[str, ...], cwd: Path, temp: Path, logs: list[Path], memory: int) -> None:
    code = UNCAUGHT
    try:
        os.setsid()
        for number, place in enumerate((os.devnull, *logs)):
            os.dup2(os.open(place, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if number else 0), 0o600), number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        os.chdir(cwd)
        os.environ["TMPDIR"] = str(temp)
        importlib.import_module("tempfile").tempdir = None
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        code = importlib.import_module("restyle.cli").main(words)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, limit: float) -> int | None:
    """The exit code; ``None``: it had to be killed."""
    handle = os.pidfd_open(pid)
    try:
        in_time = bool(select.select([handle], [], [], limit)[0])
    finally:
        os.close(handle)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # also what it may have started
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status) if in_time else None


def start(words: Sequence[object], *, cwd: Path, temp: Path, at: int | None = None) -> subprocess.Popen[str]:
    """``restyle WORDS`` in a new interpreter, which kills itself at the ``at``-th of the calls that ``killed.py`` counts."""
    return subprocess.Popen(
        [sys.executable, str(LAUNCHER), str(at or 0), *map(str, words)],
        cwd=cwd,
        env={**os.environ, "TMPDIR": str(temp), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
