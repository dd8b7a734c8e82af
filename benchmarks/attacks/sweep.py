"""What a sweep is: trials by number, each decided by the seed and its number alone."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from attacks.judging import Finding, Place

__all__ = ["Outcome", "Sweep", "attempt"]


@dataclass
class Outcome:
    """One trial: what was done, how it ended and what was found."""

    what: str = ""
    ends: list[str] = field(default_factory=list)
    """How each call ended, in a word: for the counts."""
    lines: list[str] = field(default_factory=list)
    """The calls, to be repeated by hand in the kept folder."""
    found: list[Finding] = field(default_factory=list)


class Sweep(Protocol):
    """A family of trials."""

    name: str
    trials: int
    """How many a full run makes."""

    def prepare(self, folder: Path, numbers: Sequence[int]) -> None:
        """Make once what the trials of these numbers need, in the process that they are forked from."""
        ...

    def trial(self, draw: random.Random, number: int, place: Place, outcome: Outcome) -> None:
        """Make one, and note in ``outcome`` what is wrong."""
        ...


def attempt(sweep: Sweep, seed: int, number: int, folder: Path) -> Outcome:
    """One trial of a sweep, in ``folder``, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    outcome = Outcome()
    sweep.trial(random.Random(f"{seed}/{sweep.name}/{number}"), number, Place(folder), outcome)
    return outcome


def shown(words: Sequence[object]) -> str:
    """A command line for a person."""
    import shlex

    return shlex.join(["restyle", *map(str, words)])
