"""The report's HTML page, section by section. Whatever comes from names, paths or recipes goes through ``text``."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import TypeVar

from restyle.quality import page_plots
from restyle.quality.plots import RAISED
from restyle.quality.report_data import FrameRow, KeyCard, Pair, ReportData, mean, plain_value

__all__ = ["MOST_CARDS", "MOST_PAIRS", "page_of", "spread", "text"]

MOST_CARDS = 48  # keyframes shown with their pictures
MOST_PAIRS = 7  # before/after pictures
MOST_BYTES = 1_900_000  # of JPEG; a third more once inlined
MOST_SHOTS = 200  # rows of the shots table
MOST_NOTES = 100

T = TypeVar("T")

REASONS = {
    "start": "shot begins",
    "coverage": "coverage fell",
    "max-gap": "longest gap",
    "end": "shot ends",
    "pinned": "asked for",
    "every": "regular step",
    "storyboard": "painted by hand",
    "repair": "repaired",
}


def page_of(data: ReportData) -> str:
    """The whole page. Same data, same text."""
    template = files("restyle.quality").joinpath("report.html").read_text(encoding="utf-8")
    script = template.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    body = "\n".join(
        part
        for part in (
            _head(data),
            _pairs(data),
            _facts(data),
            _sheet(data),
            page_plots.section(data),
            _shots(data),
            _happened(data),
            _recipe(data),
            _terms(),
            _foot(data),
        )
        if part
    )
    return Template(template).substitute(
        title=text(data.title), script_hash=f"sha256-{digest}", body=body, curves=page_plots.curves_json(data)
    )


def text(value: object) -> str:
    """Any value as text that is safe anywhere in HTML: markup escaped, control and direction characters made visible."""
    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value)), quote=True)


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most ``most`` of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[0]]
    return [items[place * (len(items) - 1) // (most - 1)] for place in range(most)]


# Sections


def _head(data: ReportData) -> str:
    found = data.summary()
    shown = [
        ("frame" if found["frames"] == 1 else "frames", f"{found['frames']:,}"),
        ("shot" if found["shots"] == 1 else "shots", f"{found['shots']:,}"),
        ("painted" if found["painted"] == found["frames"] else "painted, the others filled", f"{found['painted']:,}"),
    ]
    if (ratio := found["warp_error_over_source"]) is not None:
        shown.append(("the footage’s own warp error", f"{figure(ratio)}×"))
    if (coverage := found["coverage"]) is not None:
        shown.append(("coverage of the in-betweens", percent(coverage)))
    if (speed := found["frames_per_second"]) is not None:
        shown.append(("frames a second in all", figure(speed)))
    long = ' class="long"' if len(data.title) > 60 else ""
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in shown)
    return (
        f'<header><p class="eyebrow">Restyle report</p><h1{long}>{text(data.title)}</h1>'
        f'<p class="verdict">{text(data.verdict or verdict(data))}</p><dl class="figures">{cells}</dl></header>'
    )


def verdict(data: ReportData) -> str:
    """One or two sentences from the figures."""
    found = data.summary()
    frames, painted, repaired = (int(found[name] or 0) for name in ("frames", "painted", "repaired"))
    said = f"{_count(frames, 'frame')} in {_count(int(found['shots'] or 1), 'shot')}, "
    said += "painted." if frames == 1 else f"{'all' if painted == frames else f'{painted:,}'} of them painted."
    ratio = found["warp_error_over_source"]
    if ratio is not None and ratio <= 1.05:
        said += " From frame to frame the result is as steady as the footage itself."
    elif ratio is not None:
        said += f" From frame to frame the result changes {figure(ratio)} times as much as the footage itself."
    if repaired:
        said += f" {_count(repaired, 'frame')} had to be painted anew, because no neighbour explained enough of "
        said += "it." if repaired == 1 else "them."
    if data.notes:
        said += f" {_count(len(data.notes), 'note')} below." if frames > 1 else ""
    return said


def _section(name: str, body: str, *, under: str = "", look: str = "") -> str:
    small = f"<small>{under}</small>" if under else ""
    return f'<section class="{look}"><h2>{name}{small}</h2><div>{body}</div></section>'


def _pairs(data: ReportData) -> str:
    pairs = [pair for pair in data.pairs if pair.before and pair.after]
    if not pairs:
        return ""
    shown = [_pair(pair, first=not place) for place, pair in enumerate(_fitting(pairs))]
    return _section(
        "Before and after",
        f'<div class="pairs">{"".join(shown)}</div>',
        under='<span class="hint">Drag, or use the arrow keys.</span>',
    )


def _fitting(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that the page has room for: the first, and on while there is."""
    shown, size = list(pairs[:1]), sum(len(pair.before) + len(pair.after) for pair in pairs[:1])
    for pair in pairs[1:MOST_PAIRS]:
        size += len(pair.before) + len(pair.after)
        if size > MOST_BYTES * 0.6:
            break
        shown.append(pair)
    return shown


def _pair(pair: Pair, *, first: bool) -> str:
    size = jpeg_size(pair.before)
    fit = ""
    if size is not None and size[1] > size[0] * 0.75:  # upright pictures: as wide as keeps them on one screen
        fit = f' style="--fit:{max(260, round(720 * size[0] / size[1]))}px"'
    name = f"frame {pair.frame}"
    sides = "".join(
        f'<div class="side {look}">{_image(data, f"{label}, {name}")}<span>{label}</span></div>'
        for look, label, data in (("before", "Source", pair.before), ("after", "Result", pair.after))
    )
    note = f" · {text(pair.note)}" if pair.note else ""
    return (
        f'<figure class="pair{" first" if first else ""}"><div class="frames"{fit}>{sides}'
        f'<input type="range" min="0" max="100" value="50" aria-label="Split between source and result, {name}"></div>'
        f"<figcaption><b>Frame {pair.frame:,}</b> · {text(pair.timecode)}{note}</figcaption></figure>"
    )


def _facts(data: ReportData) -> str:
    if not data.facts:
        return ""
    rows = "".join(
        f'<tr class="{"same" if a == b else "" if what == "File" else "differs"}"><th scope="row">{text(what)}</th>'
        f'<td data-side="{"both" if a == b else "in"}">{text(a)}</td><td data-side="out">{text(b)}</td></tr>'
        for what, a, b in data.facts
    )
    table = f"<table><thead><tr><th></th><th>In</th><th>Out</th></tr></thead><tbody>{rows}</tbody></table>"
    return _section("Footage", table, under="What differs is marked.", look="facts")


def _sheet(data: ReportData) -> str:
    if not data.keys:
        return ""
    pairs_bytes = sum(len(p.before) + len(p.after) for p in _fitting(data.pairs))
    shown = spread(data.keys, MOST_CARDS)
    while len(shown) > 6 and pairs_bytes + sum(len(c.source) + len(c.painting) for c in shown) > MOST_BYTES:
        shown = spread(data.keys, len(shown) - 4)
    painted = max(len(data.keys), sum(row.painted for row in data.frames))
    left = painted - len(shown)
    cards = "".join(_card(card) for card in shown)
    size = jpeg_size(shown[0].source)
    upright = size is not None and size[1] > size[0]
    said = f'<ol class="sheet{" upright" if upright else ""}">{cards}</ol>'
    if left > 0:
        said += (
            f'<p class="soft small" style="margin-top:20px">{len(shown):,} of {painted:,} painted frames are shown, evenly '
            f"spread; {left:,} more are left out of this sheet. All are listed in report.json.</p>"
        )
    leaked = data.summary()["leakage"]
    under = "The source, and its painting."
    if leaked is not None:
        under = "The source, what layers touch, and the result. " + (
            "Outside of that no pixel differs from the footage, in no frame."
            if leaked == 0
            else f"Outside of that up to {percent(leaked)} of the pixels differ from the footage: please report it."
        )
    return _section("Keyframes", said, under=under)


def _card(card: KeyCard) -> str:
    look = ' class="repair"' if card.reason == "repair" else ""
    images = "".join(
        _image(data, f"{label}, frame {card.frame}")
        for label, data in (("Source", card.source), ("Mattes", card.matte), ("Painting", card.painting))
        if data
    )
    return (
        f'<li{look}><div class="both">{images}</div>'
        f'<div class="what"><b>{card.frame:,}</b> <span>{text(card.timecode)}</span><br>'
        f"<i>{text(REASONS.get(card.reason, card.reason))}</i></div></li>"
    )


def _shots(data: ReportData) -> str:
    if len(data.shots) < 2:
        return ""
    by_shot: dict[int, list[FrameRow]] = {}
    for row in data.frames:
        by_shot.setdefault(row.shot, []).append(row)
    head = "".join(
        f"<th{' class=number' if place else ''}>{name}</th>"
        for place, name in enumerate(
            ("Shot", "Begins at", "Frames", "Painted", "Coverage", "Warp error, ×10⁻³", "footage’s own")
        )
    )
    rows = ""
    for shot in data.shots[:MOST_SHOTS]:
        inside = by_shot.get(shot.index, [])
        covered = mean([row.coverage for row in inside if not row.painted])
        cells = (
            f"{shot.start:,}",
            f"{shot.stop - shot.start:,}",
            f"{sum(row.painted for row in inside):,}",
            "–" if covered is None else percent(covered),
            _thousandths([row.warp_error for row in inside]),
            _thousandths([row.source_warp_error for row in inside]),
        )
        begins = "" if shot.begins in ("start", "cut") else f' <span class="soft">{text(shot.begins)}</span>'
        rows += f"<tr><td>{shot.index}{begins}</td>" + "".join(f'<td class="number">{c}</td>' for c in cells) + "</tr>"
    more = len(data.shots) - MOST_SHOTS
    rest = f'<p class="soft small">{more:,} more shots are in report.json.</p>' if more > 0 else ""
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{rest}'
    return _section("Shots", table, under="Means over each shot’s frames.")


def _happened(data: ReportData) -> str:
    said = ""
    if data.notes:
        items = "".join(f"<li>{text(note)}</li>" for note in data.notes[:MOST_NOTES])
        said += f'<h3>Notes</h3><ul class="notes">{items}</ul>'
        if len(data.notes) > MOST_NOTES:
            said += f'<p class="soft small">{len(data.notes) - MOST_NOTES:,} more notes are in report.json.</p>'
    reasons = Counter(row.reason for row in data.frames if row.painted and row.reason)
    if reasons:
        listed = ", ".join(f"{count:,} × {text(REASONS.get(name, name))}" for name, count in reasons.most_common())
        said += f"<h3>Why frames were painted</h3><p>{listed}.</p>"
    repaired = [row.frame for row in data.frames if row.repaired]
    if repaired:
        said += f"<h3>Repaired frames</h3><p>{ranges(repaired)}</p>"
    if data.timings:
        said += f"<h3>Time</h3>{_bars(data)}"
    return _section("What happened", said) if said else ""


def _bars(data: ReportData) -> str:
    total, longest = sum(data.timings.values()), max(data.timings.values())
    rows = "".join(
        f'<span>{text(name)}</span><i style="width:{100 * seconds / longest if longest > 0 else 0:.1f}%"></i>'
        f'<span class="number">{duration(seconds)}</span>'
        for name, seconds in data.timings.items()
    )
    speed = f"{figure(len(data.frames) / total)} frames a second" if total > 0 else ""
    end = f'<span class="sum">in all</span><span class="sum soft">{speed}</span>'
    return f'<div class="bars">{rows}{end}<span class="sum number">{duration(total)}</span></div>'


def _recipe(data: ReportData) -> str:
    said = ""
    if data.recipe:
        plain = json.dumps(plain_value(data.recipe), indent=2, ensure_ascii=False)
        said = "<pre>" + "\n".join(text(line) for line in plain.split("\n")) + "</pre>"
    if data.versions:
        items = "".join(f"<div><dt>{text(n)}</dt><dd>{text(v)}</dd></div>" for n, v in data.versions.items())
        said += f'<h3>Made with</h3><dl class="pairs-list">{items}</dl>'
    return (
        _section("Recipe", said, under="With the same footage and versions it gives the same pixels.") if said else ""
    )


def _terms() -> str:
    terms = {
        "Warp error": "Two neighbouring frames, one laid over the other along the footage’s own motion: the mean square "
        "difference of what both show, with black at 0 and white at 1. The footage’s own figure is the floor: grain, "
        "light and what no motion explains. (Lai et al. 2018)",
        "Long-range warp error": "The same between each frame and the first of its shot: whether the look drifts.",
        "Coverage": "How much of an in-between the paintings beside it explain; the rest is made up from what is near.",
        "Sharpness": "Variance of the Laplacian of luma. In-betweens as sharp as painted frames are not washed out.",
    }
    items = "".join(f"<dt>{name}</dt><dd>{said}</dd>" for name, said in terms.items())
    return _section("How to read this", f'<dl class="terms">{items}</dl>')


def _foot(data: ReportData) -> str:
    version = data.versions.get("restyle")
    made = f"restyle {text(version)}" if version else "restyle"
    return f"<footer>Made by {made}. Everything is inside this file; it asks nothing of any network.</footer>"


# Small things


def figure(value: float | None) -> str:
    """A number with three significant digits; very small and very large ones as powers of ten."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.3g}"
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    mantissa, _, power = f"{value:.2e}".partition("e")
    return f"{mantissa}×10{str(int(power)).translate(RAISED)}"


def percent(share: float) -> str:
    """A share as percent: never rounded up to a hundred."""
    value = 100 * share
    return f"{math.floor(value * 10) / 10:g} %" if 99 <= value < 100 else f"{value:.0f} %"


def duration(seconds: float) -> str:
    """Seconds, or minutes and seconds, or hours and minutes."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole // 60 % 60:02d} min"


def ranges(frames: Sequence[int], most: int = 80) -> str:
    """Frame numbers with neighbours run together: ``3, 7–9``."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    said = ", ".join(f"{a:,}" if a == b else f"{a:,}–{b:,}" for a, b in runs[:most])
    return said if len(runs) <= most else f"{said} and more: {len(frames):,} in all, listed in report.json"


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from a JPEG's frame header (ITU-T T.81, B.2.2); ``None`` if there is none."""
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = (int.from_bytes(data[place + n : place + n + 2], "big") for n in (5, 7))
            return width, height
        place += 2 + length
    return None


def _image(data: bytes, alt: str) -> str:
    size = jpeg_size(data)
    sides = f' width="{size[0]}" height="{size[1]}"' if size else ""
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(data).decode()}" alt="{text(alt)}"{sides}>'


def _thousandths(values: Sequence[float | None]) -> str:
    found = mean(values)
    return "–" if found is None else f"{1000 * found:.3f}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
