"""The report's plots over time, and the figures that the page's script shows under the pointer."""

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
    """A curve of the page: the rows' field, its name in the legend, and its CSS class."""

    field: str
    legend: str
    css_class: str


@dataclass(frozen=True)
class _Panel:
    title: str
    lines: tuple[_Line, ...]
    percent: bool = False


MOST_MARKS = 150  # more lines than this would run together

WARP_ERROR = "Warp error, from frame to frame"
MEANINGS = {
    WARP_ERROR: "Two neighbouring frames, one laid over the other along the footage’s own motion: the mean square difference "
    "of what both show, with black at 0 and white at 1. The footage’s own figure is the floor: grain, light and what no motion "
    "explains. (Lai et al. 2018)",
    "Coverage": "How much of a frame the paintings before and after it explain; the rest is painted anew, or made up from what "
    "is near. Painted frames count as wholly explained.",
    "Area of the layers": "How much of the picture is restyled at all.",
    "Sharpness": "How strong fine detail is (variance of the Laplacian of luma). Frames between paintings that are as sharp as "
    "painted ones are not washed out.",
}
"""What each panel's figures mean, said under the plots."""

PANELS = (
    _Panel(
        WARP_ERROR,
        (_Line("warp_error", "result", "a"), _Line("source_warp_error", "the footage itself", "b")),
    ),
    _Panel("Coverage", (_Line("coverage", "explained by the paintings", "a"),), percent=True),
    _Panel("Area of the layers", (_Line("area", "share of the picture", "a"),), percent=True),
    _Panel("Sharpness", (_Line("sharpness", "result", "a"),)),
)


def section(data: ReportData) -> str:
    """The section, or nothing if there is no time to speak of or no frame has a figure."""
    bins = _bins(data)
    cuts = [shot.start for shot in data.shots[1:]]
    shown = cuts if len(cuts) <= MOST_MARKS else []
    panels = _panels(data, bins)
    if not panels or len(data.frames) < 2:
        return ""
    html = "".join(panel(title, series, bins, axis, cuts=shown) for title, series, axis in panels)
    html += _painted_strip(data, bins, shown)
    ticks = time_ticks(bins, float(data.rate))
    lettered = "".join(
        f'<span{" class=odd" if index % 2 else ""} style="left:{100 * x:.2f}%">{frame}<br>{clock}</span>'
        for index, (x, frame, clock) in enumerate(ticks)
    )
    under = ["Dashed lines are cuts."] if shown else []
    if len(shown) < len(cuts):
        under.append(f"The {len(cuts):,} cuts are too many to draw.")
    most = max(len(group) for group in bins.groups)
    if most > 1:
        under.append(
            f"Each point stands for up to {most:,} frames: the line is their mean, the band spans least to greatest."
        )
    return (
        f'<section><h2>Over time<small>{" ".join(under)}</small></h2><div><div class="plots" tabindex="0" role="group" '
        'aria-label="Figures over time; the arrow keys go from frame to frame">'
        '<div class="readout" aria-live="polite"><span class="hint">Point at the plots, or use the arrow keys, to read '
        "single frames.</span></div>"
        f'{html}<div class="time" aria-hidden="true">{lettered}</div><i class="cross"></i></div>'
        '<p class="axis-name">Frame number, and time since the footage’s first frame</p>'
        f"{_terms([title for title, _, _ in panels])}</div></section>"
    )


def _terms(titles: Sequence[str]) -> str:
    items = "".join(f"<dt>{title}</dt><dd>{MEANINGS[title]}</dd>" for title in titles)
    return f'<dl class="terms">{items}</dl>'


def curves_json(data: ReportData) -> str:
    """The figures that the page's script reads out, in axis units, as JSON that may stand inside a ``<script>`` element."""
    bins = _bins(data)
    rows = data.frames
    ends = [bins.ends(group) for group in bins.groups]
    plain = {
        "rate": float(data.rate),
        "first": [first for first, _ in ends],
        "last": [last for _, last in ends],
        "x": [round(bins.middle(group), 5) for group in bins.groups],
        "shot": [rows[group[0]].shot + 1 for group in bins.groups],
        "mark": [_mark([rows[index] for index in group]) for group in bins.groups],
        "curves": [
            _plain(item.curve, 10.0**-axis.power, "%" if axis.percent else "")
            for _, series, axis in _panels(data, bins)
            for item in series
        ],
    }
    text = json.dumps(plain, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _bins(data: ReportData) -> Bins:
    return bins_of([row.frame for row in data.frames])


def _panels(data: ReportData, bins: Bins) -> list[tuple[str, list[Series], Axis]]:
    """Title, curves and axis of each panel that has something to show; curves are numbered through."""
    panels: list[tuple[str, list[Series], Axis]] = []
    number = 0
    for spec in PANELS:
        series: list[Series] = []
        for line in spec.lines:
            curve = curve_of([getattr(row, line.field) for row in data.frames], bins)
            if any(value is not None for value in curve.mean):
                series.append(Series(line.legend, line.css_class, curve, number))
                number += 1
        if series:
            axis = Axis(1.0, (0.0, 0.5, 1.0), percent=True) if spec.percent else axis_of(item.curve for item in series)
            panels.append((spec.title, series, axis))
    return panels


def _painted_strip(data: ReportData, bins: Bins, cuts: Sequence[int]) -> str:
    """A strip with a mark at each painted frame; where they would run together, their share as a curve."""
    painted = [row for row in data.frames if row.painted]
    keys = [row.frame for row in painted if not row.repaired]
    repaired = [row.frame for row in painted if row.repaired]
    if len(painted) <= MOST_MARKS or len(bins.groups) == len(data.frames):
        return strip([("keyframes", "painted", keys), ("repaired", "repair", repaired)], bins, cuts)
    rows = data.frames
    shares = [sum(rows[index].painted for index in group) / len(group) for group in bins.groups]
    curve = Curve(tuple(shares), tuple(shares), tuple(shares))
    axis = axis_of([curve])
    axis = Axis(axis.top, axis.ticks, percent=True)
    name = f"share of all frames ({len(painted):,} painted, {len(repaired):,} of them repairs)"
    return panel("Painted frames", [Series(name, "a", curve, -1)], bins, axis, cuts=cuts, low=True)


def _plain(curve: Curve, scale: float, unit: str) -> dict[str, Any]:
    if unit == "%":
        scale = 100.0
    plain: dict[str, Any] = {"unit": unit, "mean": _short(curve.mean, scale)}
    if curve.banded:
        plain |= {"low": _short(curve.low, scale), "high": _short(curve.high, scale)}
    return plain


def _short(values: Sequence[float | None], scale: float) -> list[float | None]:
    return [None if value is None else float(f"{value * scale:.4g}") for value in values]


def _mark(rows: Sequence[FrameRow]) -> str:
    painted = sum(row.painted for row in rows)
    if not painted:
        return ""
    if len(rows) > 1:
        return f"{painted} painted"
    return "repaired" if rows[0].repaired else "painted"
