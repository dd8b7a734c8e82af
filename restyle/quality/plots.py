"""Plots over time as inline SVG. The curves stretch with the page (``non-scaling-stroke``); all lettering is HTML beside them,
so that it keeps its size on a telephone and on paper.

Long footage is put into bins: a curve is then the bin's mean in a band from its least to its greatest value, so that a single
bad frame among 100,000 still shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

__all__ = ["MOST_BINS", "RAISED", "Axis", "Bins", "Curve", "Series", "axis_of", "bins_of", "curve_of", "panel", "strip"]

MOST_BINS = 600
WIDE, TALL = 1000, 100  # the curves' own coordinates; the page stretches them

Values = Sequence[float | None]


@dataclass(frozen=True)
class Bins:
    """Frames in groups: ``groups[i]`` is the positions, in the list of rows, of bin ``i``."""

    groups: tuple[range, ...]
    frames: tuple[int, ...]
    """Number of every row's frame, ascending."""

    @property
    def span(self) -> int:
        """Frames from the first to the last, both included."""
        return self.frames[-1] - self.frames[0] + 1

    def x(self, frame: float) -> float:
        """Place of a frame's middle along the axis, 0 to 1."""
        return (frame - self.frames[0] + 0.5) / self.span

    def ends(self, group: range) -> tuple[int, int]:
        """First and last frame number of a bin."""
        return self.frames[group[0]], self.frames[group[-1]]

    def middle(self, group: range) -> float:
        """Place of a bin's middle along the axis, 0 to 1."""
        first, last = self.ends(group)
        return self.x((first + last) / 2)


@dataclass(frozen=True)
class Curve:
    """One series, bin by bin; ``None`` where nothing was measured."""

    low: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    high: tuple[float | None, ...]

    @property
    def banded(self) -> bool:
        """Whether low and high differ, so that there is a band to draw."""
        return self.low != self.high


@dataclass(frozen=True)
class Series:
    """A curve with its name and its CSS class (``a``: the result, ``b``: the footage itself)."""

    name: str
    css_class: str
    curve: Curve
    number: int = 0
    """Its number among the curves that the page's script reads out: its value appears in the legend."""


@dataclass(frozen=True)
class Axis:
    """A vertical axis from 0 to ``top``, in the data's unit."""

    top: float
    ticks: tuple[float, ...]
    power: int = 0
    """Labels are the values times ten to the power of minus this."""
    over: int = 0
    """Bins that go beyond ``top``."""
    percent: bool = False
    """The values are shares, lettered as percent."""

    def label(self, value: float) -> str:
        """A tick's lettering."""
        if self.percent:
            return f"{100 * value:.3g} %"
        shown = value / 10**self.power
        return f"{shown:,.0f}" if abs(shown) >= 1000 else f"{shown:.3g}"

    @property
    def unit(self) -> str:
        """``×10⁻³``, or nothing."""
        return "" if not self.power else "×10" + str(self.power).translate(RAISED)


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def bins_of(frames: Sequence[int], most: int = MOST_BINS) -> Bins:
    """Neighbouring rows in at most ``most`` bins of equal size; one row a bin if they are few enough."""
    count = len(frames)
    many = min(count, most)
    edges = [count * index // many for index in range(many + 1)]
    return Bins(tuple(range(a, b) for a, b in pairwise(edges)), tuple(frames))


def curve_of(values: Values, bins: Bins) -> Curve:
    """Least, mean and greatest value of each bin."""
    low: list[float | None] = []
    mean: list[float | None] = []
    high: list[float | None] = []
    for group in bins.groups:
        present = [v for v in values[group.start : group.stop] if v is not None and math.isfinite(v)]
        low.append(min(present) if present else None)
        mean.append(math.fsum(present) / len(present) if present else None)
        high.append(max(present) if present else None)
    return Curve(tuple(low), tuple(mean), tuple(high))


def axis_of(curves: Iterable[Curve], *, top: float | None = None) -> Axis:
    """An axis that shows the curves. A few values far beyond all others are cut off (``over``), lest they flatten the rest."""
    values = sorted(v for curve in curves for v in curve.high if v is not None)
    over = 0
    if top is None:
        top = values[-1] if values else 1.0
        common = values[int(0.98 * (len(values) - 1))] if values else top
        if len(values) > 20 and top > 4 * common > 0:
            top = 1.5 * common
            over = sum(v > top for v in values)
        if top <= 0:
            top = 1.0
    power = 0
    size = math.floor(math.log10(top))
    if size < -1 or size > 4:
        power = 3 * math.ceil((size - 1) / 3)
    raw = top / 3
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * n for n in (1, 2, 2.5, 5, 10) if unit * n >= raw * 0.8)
    ticks = tuple(step * n for n in range(int(top / step + 1e-9) + 1))
    if not over and top > ticks[-1] * 1.04:
        top = max(top * 1.04, 1e-12)
    return Axis(top, ticks, power, over)


def panel(
    title: str, series: Sequence[Series], bins: Bins, axis: Axis, *, cuts: Sequence[int], low: bool = False
) -> str:
    """One plot: heading, legend, axis and curves. ``low``: of half the height."""
    lines = "".join(
        f'<line class="grid" x1="0" x2="{WIDE}" y1="{_y(tick, axis)}" y2="{_y(tick, axis)}"/>' for tick in axis.ticks
    )
    marks = _cut_path(cuts, bins, TALL)
    curves = "".join(_draw(each, bins, axis) for each in reversed(series))
    labels = "".join(
        f'<span style="bottom:{100 * tick / axis.top:.2f}%">{axis.label(tick)}</span>' for tick in axis.ticks
    )
    legend = "".join(
        f'<span class="key {each.css_class}">{escape(each.name)} <b data-curve="{each.number}"></b></span>'
        for each in series
    )
    unit = f'<span class="unit">{axis.unit}</span>' if axis.unit else ""
    cut_off = ""
    if axis.over:
        cut_off = f'<span class="unit">▲ {axis.over} beyond</span>'
    name = escape(title)
    return (
        f'<figure class="panel{" low" if low else ""}"><figcaption><b>{name}</b>{unit}{cut_off}{legend}</figcaption>'
        f'<div class="plot"><div class="ticks" aria-hidden="true">{labels}</div>'
        f'<svg viewBox="0 0 {WIDE} {TALL}" preserveAspectRatio="none" role="img" aria-label="{name} over time">'
        f"{lines}{marks}{curves}</svg>{_beyond(series, bins, axis)}</div></figure>"
    )


def strip(groups: Sequence[tuple[str, str, Sequence[int]]], bins: Bins, cuts: Sequence[int]) -> str:
    """Marks along the time axis: (name, CSS class, frames) for each kind."""
    curves = "".join(
        f'<path class="mark {css_class}" d="{"".join(f"M{x} 0V{TALL}" for x in _positions(frames, bins))}"/>'
        for _, css_class, frames in groups
        if frames
    )
    legend = "".join(
        f'<span class="key {css_class}">{escape(name)} ({len(frames):,})</span>'
        for name, css_class, frames in groups
        if frames
    )
    return (
        f'<figure class="panel strip"><figcaption><b>Painted frames</b>{legend}</figcaption>'
        f'<div class="plot"><svg viewBox="0 0 {WIDE} {TALL}" preserveAspectRatio="none" role="img" '
        f'aria-label="Painted frames over time">{_cut_path(cuts, bins, TALL)}{curves}</svg></div></figure>'
    )


def time_ticks(bins: Bins, rate: float) -> list[tuple[float, str, str]]:
    """Letterings of the time axis: position (0 to 1), frame number, time since the footage's first frame."""
    if bins.span <= 6:
        frames = sorted(set(bins.frames))
    else:
        raw = bins.span / 6
        unit = 10 ** math.floor(math.log10(raw))
        step = max(1, round(next(unit * n for n in (1, 2, 2.5, 5, 10) if unit * n >= raw)))
        begin = -(-bins.frames[0] // step) * step
        frames = list(range(begin, bins.frames[-1] + 1, step))
    return [(bins.x(frame), f"{frame:,}", _clock(frame / rate, bins.span / rate)) for frame in frames]


def _clock(seconds: float, span: float) -> str:
    whole = int(seconds)
    if span < 20:
        return f"{seconds:.2f} s"
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if span >= 3600 else f"{whole // 60}:{whole % 60:02d}"


def _draw(series: Series, bins: Bins, axis: Axis) -> str:
    curve = series.curve
    runs: list[list[int]] = []
    for index, value in enumerate(curve.mean):
        if value is None:
            continue
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    xs = [_number(WIDE * bins.middle(group)) for group in bins.groups]
    band, line = "", ""
    for run in runs:
        if len(run) == 1:  # nothing to join: a dot, by the line's round cap
            line += f"M{xs[run[0]]} {_y(curve.mean[run[0]], axis)}h.01"
        else:
            line += "M" + "L".join(f"{xs[p]} {_y(curve.mean[p], axis)}" for p in run)
        if curve.banded:
            forth = "L".join(f"{xs[p]} {_y(curve.high[p], axis)}" for p in run)
            back = "L".join(f"{xs[p]} {_y(curve.low[p], axis)}" for p in reversed(run))
            band += f"M{forth}L{back}Z"
    shade = f'<path class="band {series.css_class}" d="{band}"/>' if band else ""
    return f'{shade}<path class="line {series.css_class}" d="{line}"/>' if line else ""


def _beyond(series: Sequence[Series], bins: Bins, axis: Axis) -> str:
    if not axis.over:
        return ""
    positions = {
        _number(100 * bins.middle(group))
        for each in series
        for group, value in zip(bins.groups, each.curve.high, strict=True)
        if value is not None and value > axis.top
    }
    return "".join(f'<i class="beyond" style="left:{at}%">▲</i>' for at in sorted(positions, key=float))


def _cut_path(cuts: Sequence[int], bins: Bins, tall: int) -> str:
    positions = _positions([cut - 0.5 for cut in cuts], bins)
    return f'<path class="cut" d="{"".join(f"M{x} 0V{tall}" for x in positions)}"/>' if positions else ""


def _positions(frames: Iterable[float], bins: Bins) -> list[str]:
    """Positions along the curves' axis, those that fall together only once, so that the page does not grow with length."""
    rounded = {round(2 * WIDE * bins.x(frame)) / 2 for frame in frames}
    return [_number(at) for at in sorted(rounded) if 0 <= at <= WIDE]


def _y(value: float | None, axis: Axis) -> str:
    share = 0.0 if value is None else min(max(value / axis.top, 0.0), 1.0)
    return _number(TALL * (1 - share))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
