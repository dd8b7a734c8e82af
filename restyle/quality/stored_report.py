"""A job's ``report.json``, read back: for other commands, and for whoever lists many jobs.

``read_report(folder)`` gives the verdict, the figures, and paths of the pictures that lie in the job folder:

    report = read_report("job.mp4.restyle")
    report.level, report.verdict, report.poster, report.before, report.after, report.clip
    report.moments[0].source, report.moments[0].result, report.moments[0].painting

A job folder may have been changed by anybody, so every value that is used is checked, and only those pictures are named that
lie there as they were written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interp.pixels.boxes import Box
from interp.regular import require_regular
from restyle.errors import JobError, show_path, why
from restyle.files.owned import OwnFiles
from restyle.files.remote import Url, read_bytes
from restyle.quality.report_data import SCHEMA, VERSION

__all__ = [
    "AFTER",
    "BEFORE",
    "CLIP",
    "POSTER",
    "PaintedFrame",
    "StoredMoment",
    "StoredReport",
    "moment_name",
    "read_report",
]

LARGEST = 1 << 28  # bytes: a million frames
NAME = "report.json"
CLIP = "clip.mp4"
POSTER = "poster.jpg"
BEFORE = "before.jpg"
AFTER = "after.jpg"
_PICTURES = re.compile(r"pictures/[0-9a-f]{32}")


def moment_name(number: int, side: str) -> str:
    """Name of a moment's picture, the first moment being 1. ``side``: ``source``, ``result`` or ``painting``."""
    return f"moment-{number:02d}.{side}.jpg"


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
    source: Path | None = None
    """JPEG of that part, as the next two."""
    result: Path | None = None
    painting: Path | None = None
    """What a painting of that frame would be there; ``None``: nobody painted it."""


@dataclass(frozen=True)
class StoredReport:
    """The parts of a report that others use. Frames are numbered as in the footage. Files that are not there are ``None``."""

    level: str
    """``good``, ``look``, ``bad`` or ``still`` (``verdict.Level``)."""
    verdict: str
    """The verdict in words."""
    summary: Mapping[str, Any]
    """Figures over all frames: ``ReportData.summary``."""
    first: int
    """Number of the result's first frame."""
    painted: tuple[PaintedFrame, ...]
    moments: tuple[StoredMoment, ...]
    """The worst first."""
    poster: Path | None = None
    """JPEG, 960 pixels wide or high: the left half of the source, the right half of the result."""
    before: Path | None = None
    """JPEG of a frame of the source, as large."""
    after: Path | None = None
    """The same frame of the result."""
    clip: Path | None = None
    """MP4: the first seconds, the source above the result."""


def read_report(folder: str | Path | Url) -> StoredReport:
    """Read the report in a job folder; of one elsewhere, without its pictures.

    Raises ``JobError``: there is none, or it is not one of this version.
    """
    folder = folder if isinstance(folder, Url) else Path(folder)
    path = folder / NAME
    try:
        plain = json.loads(_content(path))
    except FileNotFoundError:
        raise JobError(
            f"there is no {NAME} in {show_path(folder)}: run the job again, without --no-report, or name its folder with --job"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise JobError(f"cannot read {show_path(path)}: {why(error)}") from None
    if not isinstance(plain, dict) or (plain.get("schema"), plain.get("version")) != (SCHEMA, VERSION):
        raise JobError(f"{show_path(path)} is not a report of this version: run the job again")
    try:
        rows, own = plain["frames"], _Pictures(folder, plain["pictures"])
        return StoredReport(
            level=str(plain["level"]),
            verdict=str(plain["verdict"]),
            summary=dict(plain["summary"]),
            first=_number(rows[0], "frame"),
            painted=tuple(PaintedFrame(_number(row, "frame"), str(row["reason"])) for row in rows if row["painted"]),
            moments=tuple(_moment(one, number, own) for number, one in enumerate(plain["moments"], 1)),
            poster=own.path(POSTER),
            before=own.path(BEFORE),
            after=own.path(AFTER),
            clip=own.path(CLIP),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        raise JobError(f"{show_path(path)} is damaged, or of another version: run the job again") from None


def _content(path: Path | Url) -> bytes:
    if not isinstance(path, Url):
        require_regular(path, largest=LARGEST)
        return path.read_bytes()
    data = read_bytes(path, largest=LARGEST)
    if data is None:
        raise FileNotFoundError
    return data


class _Pictures:
    """The pictures of a report, in the job folder."""

    def __init__(self, job: Path | Url, name: Any) -> None:
        if not isinstance(name, str) or (name and not _PICTURES.fullmatch(name)):
            raise ValueError(f"no folder of pictures: {name!r}")
        self._own: OwnFiles | None = None
        if isinstance(job, Url):
            return
        self._folder = job / name
        linked = self._folder.is_symlink() or self._folder.parent.is_symlink()
        own = OwnFiles.read(self._folder) if name and not linked else None
        self._own = own if own is not None and own.command == name else None

    def path(self, name: str) -> Path | None:
        """Path of a picture that lies there as it was written."""
        return self._folder / name if self._own is not None and self._own.has(self._folder, name) else None


def _moment(plain: Mapping[str, Any], number: int, own: _Pictures) -> StoredMoment:
    left, top, right, bottom = (int(side) for side in plain["box"])
    if not (0 <= left < right and 0 <= top < bottom):
        raise ValueError(f"no box: {plain['box']}")
    pictures = (own.path(moment_name(number, side)) for side in ("source", "result", "painting"))
    return StoredMoment(_number(plain, "frame"), float(plain["loss"]), (left, top, right, bottom), *pictures)


def _number(plain: Mapping[str, Any], name: str) -> int:
    value = plain[name]
    if type(value) is not int or value < 0:
        raise ValueError(f"no frame's number: {value!r}")
    return value
