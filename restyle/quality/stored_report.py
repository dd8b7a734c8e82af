"""A job's ``report.json``, read back: for other commands, and for whoever lists many jobs.

A job folder may have been changed by anybody, so every value that is used is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interp.pixels.boxes import Box
from interp.regular import require_regular
from restyle.errors import JobError, show_path, why
from restyle.quality.report_data import SCHEMA, VERSION

__all__ = ["PaintedFrame", "StoredMoment", "StoredReport", "read_report"]

LARGEST = 1 << 28  # bytes: a million frames
NAME = "report.json"


@dataclass(frozen=True)
class PaintedFrame:
    """A frame that was painted, and why (``Keyframe.reason``)."""

    frame: int
    reason: str


@dataclass(frozen=True)
class StoredMoment:
    """One of the worst moments: its frame, its loss of structure, and the part of the picture."""

    frame: int
    loss: float
    box: Box
    """Left, top, right, bottom, in pixels of the footage."""


@dataclass(frozen=True)
class StoredReport:
    """The parts of a report that others use. Frames are numbered as in the footage."""

    first: int
    """Number of the result's first frame."""
    painted: tuple[PaintedFrame, ...]
    moments: tuple[StoredMoment, ...]
    """The worst first."""


def read_report(folder: Path) -> StoredReport:
    """Read the report in a job folder.

    Raises ``JobError``: there is none, or it is not one of this version.
    """
    path = folder / NAME
    try:
        require_regular(path, largest=LARGEST)
        plain = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise JobError(
            f"there is no {NAME} in {show_path(folder)}: run the job again, without --no-report, or name its folder with --job"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise JobError(f"cannot read {show_path(path)}: {why(error)}") from None
    if not isinstance(plain, dict) or (plain.get("schema"), plain.get("version")) != (SCHEMA, VERSION):
        raise JobError(f"{show_path(path)} is not a report of this version: run the job again")
    try:
        rows = plain["frames"]
        return StoredReport(
            first=_number(rows[0], "frame"),
            painted=tuple(PaintedFrame(_number(row, "frame"), str(row["reason"])) for row in rows if row["painted"]),
            moments=tuple(_moment(one) for one in plain["moments"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        raise JobError(f"{show_path(path)} is damaged, or of another version: run the job again") from None


def _moment(plain: Mapping[str, Any]) -> StoredMoment:
    left, top, right, bottom = (int(side) for side in plain["box"])
    if not (0 <= left < right and 0 <= top < bottom):
        raise ValueError(f"no box: {plain['box']}")
    return StoredMoment(_number(plain, "frame"), float(plain["loss"]), (left, top, right, bottom))


def _number(plain: Mapping[str, Any], name: str) -> int:
    value = plain[name]
    if type(value) is not int or value < 0:
        raise ValueError(f"no frame's number: {value!r}")
    return value
