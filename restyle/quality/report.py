"""The report of a job: one self-contained HTML page, and the same as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from restyle.errors import OutputError, show_path, why
from restyle.files.writing import write_file
from restyle.quality.lettering import spread
from restyle.quality.page import MOST_CARDS, MOST_PAIRS, page_of
from restyle.quality.report_data import (
    SCHEMA,
    VERSION,
    FrameRow,
    KeyCard,
    Moment,
    MovingPair,
    Pair,
    ReportData,
    ShotRow,
)
from restyle.quality.verdict import verdict_of

__all__ = [
    "MOST_CARDS",
    "MOST_PAIRS",
    "SCHEMA",
    "VERSION",
    "FrameRow",
    "KeyCard",
    "Moment",
    "MovingPair",
    "Pair",
    "ReportData",
    "ShotRow",
    "spread",
    "write_report",
]


def write_report(data: ReportData, html_path: str | Path, json_path: str | Path | None = None) -> None:
    """Write the page, and ``report.json`` beside it if a path is given; both appear complete or not at all.

    Same data, same bytes. Raises ``OutputError``.
    """
    _put(Path(html_path), page_of(data))
    if json_path is not None:
        _put(Path(json_path), _json(data))


def _json(data: ReportData) -> str:
    """Readable, yet with one line a frame."""
    verdict = verdict_of(data)
    plain = data.to_json() | {"verdict": data.verdict or verdict.text, "level": verdict.level}
    rows = ",\n  ".join(json.dumps(row, separators=(",", ":"), allow_nan=False) for row in plain.pop("frames"))
    head = json.dumps(plain, allow_nan=False, indent=1)
    return f'{head[:-2]},\n "frames": [\n  {rows}\n ]\n}}\n'


def _put(path: Path, text: str) -> None:
    try:
        write_file(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise OutputError(f"cannot write the report {show_path(path)}: {why(error)}") from error
