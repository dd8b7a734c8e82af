"""Orders of jobs: plain values that travel between processes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["JobOrder"]


@dataclass(frozen=True)
class JobOrder:
    """Order of a job: the options of ``Job`` as plain values."""

    source: str
    output: str
    folder: str
    """The job folder."""
    recipe: str
    """The recipe as JSON."""
    fresh: bool = False
    overwrite: bool = False
    report: bool = True
    paint_moments: bool | None = None
    offline: bool = False
    rate: Fraction | None = None
