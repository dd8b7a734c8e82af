"""Long work in a process of its own: ordered, looked at, stopped. What is known of it lies on disk (``worker``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from restyle import Recipe
from restyle.errors import JobLockedError, OutputError, show_path, why
from restyle.files.writing import LockHeld, lock_file, write_file

__all__ = ["FILES", "LOCK", "STATE", "STOP", "Work", "WorkState"]

ORDER, SAID = "order.json", "work.log"
LOCK = "work.lock"
STATE = "work.json"
STOP = "work.stop"
FILES = {ORDER, SAID, LOCK, STATE, STOP}
"""Names of the files of a work's folder."""


@dataclass(frozen=True)
class WorkState:
    """State of the work that runs, or that ran last."""

    kind: str = ""
    """``render``, ``look``, ``batch``, ``compare``; empty: nothing was ordered yet."""
    state: str = "none"
    """``running``, ``done``, ``stopped``, ``failed``; ``lost``: its process ended without a word."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """As the worker reports them: stage, done, total, rate, left, line ..."""

    @property
    def running(self) -> bool:
        """True while its process lives."""
        return self.state == "running"


class Work:
    """The work of one folder, one at a time. ``folder``: where order, state and lock lie."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        kind: str,
        source: Path,
        output: Path,
        recipe: Recipe,
        *,
        rate: Fraction | None = None,
        offline: bool = False,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Order work; ``more``: what this kind of it wants beside (``worker``).

        Raises ``JobLockedError`` while other work runs, ``OutputError``.
        """
        if self.state().running:
            raise JobLockedError(f"work on {show_path(source)} is going on: wait for it, or stop it")
        order = {
            "kind": kind,
            "source": str(source),
            "output": str(output),
            "recipe": recipe.model_dump(mode="json", exclude_unset=True),
            "rate": None if rate is None else str(rate),
            "offline": offline,
            **(more or {}),
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in (STATE, STOP):
                (self._folder / name).unlink(missing_ok=True)
            write_file(self._folder / ORDER, (json.dumps(order) + "\n").encode())
            with open(self._folder / SAID, "wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "restyle.studio.worker", str(self._folder / ORDER)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise OutputError(f"cannot work in {show_path(self._folder)}: {why(error)}") from error

    def stop(self) -> None:
        """Ask the work to stop; what is finished is kept."""
        with suppress(OSError):
            (self._folder / STOP).touch()

    def state(self) -> WorkState:
        """Read how far it is."""
        try:
            facts = json.loads((self._folder / STATE).read_bytes())
        except (OSError, ValueError):
            facts = {}
        starting = self._process is not None and self._process.poll() is None
        if not isinstance(facts, dict) or "state" not in facts:
            return WorkState("", "running" if starting else "none", {})
        state = str(facts["state"])
        if state == "running" and not starting and not self._held():
            state = "lost"
        return WorkState(str(facts.get("kind", "")), state, facts)

    def _held(self) -> bool:
        """Tell whether a worker, of this studio or an earlier one, holds the folder."""
        try:
            os.close(lock_file(self._folder / LOCK, shared=True))
        except LockHeld:
            return True
        except OSError:
            return False
        return False
