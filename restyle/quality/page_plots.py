"""The report's plots over time: which curves there are, and what the page's script shows under the pointer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from restyle.quality.plots import Axis, Bins, Curve, Series, axis_of, bins_of, curve_of, panel, strip, time_ticks
from restyle.quality.report_data import FrameRow, ReportData

__all__ = ["curves_json", "section"]


@dataclass(frozen=True)
class _Line:
    """A curve of the page: the rows' field, its name in the readout, in the legend, and its look."""

    field: str
    readout: str
    legend: str
    look: str
    percent: bool = False


@dataclass(frozen=True)
class _Panel:
    title: str
    lines: tuple[_Line, ...]


PANELS = (
    _Panel(
        "Warp error, from frame to frame",
        (
            _Line("warp_error", "warp error", "result", "a"),
            _Line("source_warp_error", "of the footage", "the footage itself", "b"),
        ),
    ),
    _Panel(
        "Warp error, against the shot’s first frame",
        (
            _Line("long_range", "long-range", "result", "a"),
            _Line("source_long_range", "of the footage", "the footage itself", "b"),
        ),
    ),
    _Panel("Coverage, in percent", (_Line("coverage", "coverage", "explained by the paintings", "a", percent=True),)),
    _Panel("Sharpness", (_Line("sharpness", "sharpness", "result", "a"),)),
)


def section(data: ReportData) -> str:
    """The section, or nothing if no frame has a figure."""
    bins = _bins(data)
    cuts = [shot.start for shot in data.shots[1:]]
    drawn = ""
    for one in PANELS:
        series = _series(data, one, bins)
        if series:
            drawn += panel(one.title, series, bins, _axis(one, series), cuts=cuts)
    if not drawn:
        return ""
    painted = [row for row in data.frames if row.painted]
    drawn += strip(
        [
            ("keyframe", "painted", [row.frame for row in painted if not row.repaired]),
            ("repaired", "repair", [row.frame for row in painted if row.repaired]),
        ],
        bins,
        cuts,
    )
    ticks = time_ticks(bins, float(data.rate))
    lettered = "".join(
        f'<span{" class=odd" if place % 2 else ""} style="left:{100 * x:.2f}%">{frame}<br>{clock}</span>'
        for place, (x, frame, clock) in enumerate(ticks)
    )
    under = "Dashed lines are cuts." if cuts else ""
    if any(len(group) > 1 for group in bins.groups):
        most = max(len(group) for group in bins.groups)
        under += (
            f" Each point stands for up to {most:,} frames: the line is their mean, the band from least to greatest."
        )
    return (
        f'<section><h2>Over time<small>{under.strip()}</small></h2><div><div class="plots" tabindex="0" role="group" '
        'aria-label="Figures over time; the arrow keys go from frame to frame">'
        '<div class="readout" aria-live="polite">Point at the plots, or use the arrow keys, to read single frames.</div>'
        f'{drawn}<div class="time" aria-hidden="true">{lettered}</div><i class="cross"></i></div>'
        '<p class="axis-name">Frame number, and time since the footage’s first frame</p></div></section>'
    )


def curves_json(data: ReportData) -> str:
    """What the readout needs, as JSON that may stand inside a ``<script>`` element."""
    bins = _bins(data)
    rows = data.frames
    ends = [bins.ends(group) for group in bins.groups]
    series: list[dict[str, Any]] = []
    for one in PANELS:
        for line in one.lines:
            curve = curve_of([getattr(row, line.field) for row in rows], bins)
            if any(value is not None for value in curve.mean):
                series.append(_plain(line, curve))
    plain = {
        "rate": float(data.rate),
        "first": [first for first, _ in ends],
        "last": [last for _, last in ends],
        "x": [round(bins.middle(group), 5) for group in bins.groups],
        "shot": [rows[group[0]].shot for group in bins.groups],
        "mark": [_mark([rows[place] for place in group]) for group in bins.groups],
        "series": series,
    }
    made = json.dumps(plain, separators=(",", ":"), allow_nan=False)
    return made.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _bins(data: ReportData) -> Bins:
    return bins_of([row.frame for row in data.frames])


def _series(data: ReportData, one: _Panel, bins: Bins) -> list[Series]:
    found = []
    for line in one.lines:
        curve = curve_of([getattr(row, line.field) for row in data.frames], bins)
        if any(value is not None for value in curve.mean):
            if line.percent:
                curve = Curve(*(tuple(None if v is None else 100 * v for v in part) for part in vars(curve).values()))
            found.append(Series(line.legend, line.look, curve))
    return found


def _axis(one: _Panel, series: Sequence[Series]) -> Axis:
    if one.lines[0].percent:
        return Axis(100.0, (0.0, 50.0, 100.0))
    return axis_of(item.curve for item in series)


def _plain(line: _Line, curve: Curve) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": line.readout, "percent": line.percent, "mean": _short(curve.mean)}
    if curve.banded:
        plain |= {"low": _short(curve.low), "high": _short(curve.high)}
    return plain


def _short(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.4g}") for value in values]


def _mark(rows: Sequence[FrameRow]) -> str:
    painted = sum(row.painted for row in rows)
    if not painted:
        return ""
    if len(rows) > 1:
        return f"{painted} painted"
    return "repaired" if rows[0].repaired else "painted"
