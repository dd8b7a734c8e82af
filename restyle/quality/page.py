"""The report's HTML page, section by section. Whatever comes from names, paths or recipes goes through ``text``."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from string import Template

from restyle.quality import page_head, page_moments, page_player, page_plots
from restyle.quality.lettering import (
    REASONS,
    duration,
    figure,
    image,
    jpeg_size,
    percent,
    ranges,
    spread,
    text,
    thousandths,
)
from restyle.quality.report_data import FrameRow, KeyCard, Pair, ReportData, mean, plain_value

__all__ = ["MOST_CARDS", "MOST_PAIRS", "page_of"]

MOST_CARDS = 48  # keyframes shown with their pictures
MOST_PAIRS = 7  # before/after pictures
MOST_BYTES = 1_900_000  # of JPEG; a third more once inlined
MOST_SHOTS = 200  # rows of the shots table
MOST_NOTES = 100


def page_of(data: ReportData) -> str:
    """The whole page. Same data, same text."""
    body = "\n".join(
        part
        for part in (
            page_head.header(data),
            _player(data),
            _pairs(data),
            _moments(data),
            _sheet(data),
            page_plots.section(data),
            _shots(data),
            _happened(data),
            _facts(data),
            _recipe(data),
            _foot(data),
        )
        if part
    )
    scripts = [_file("report.js")] + ([] if data.moving_pair is None else [_file("player.js")])
    return Template(_file("report.html")).substitute(
        title=text(data.title),
        style="" if data.moving_pair is None else _file("player.css"),
        script_hashes=" ".join(f"'{_digest(script)}'" for script in scripts),
        body=body,
        curves=page_plots.curves_json(data),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def _file(name: str) -> str:
    return files("restyle.quality").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """A script's name in a content security policy (W3C, CSP level 3)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _section(name: str, body: str, *, under: str = "", css_class: str = "") -> str:
    small = f"<small>{under}</small>" if under else ""
    return f'<section class="{css_class}"><h2>{name}{small}</h2><div>{body}</div></section>'


def _pairs(data: ReportData) -> str:
    pairs = [pair for pair in data.pairs if pair.before and pair.after]
    if not pairs:
        return ""
    figures = [_pair(pair, first=not number) for number, pair in enumerate(_fitting(pairs))]
    return _section(
        "Before and after, still",
        f'<div class="pairs">{"".join(figures)}</div>',
        under='<span class="hint">Drag, or use the arrow keys.</span>',
    )


def _fitting(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that the page has room for: the first, and on while there is."""
    fitting, size = list(pairs[:1]), sum(len(pair.before) + len(pair.after) for pair in pairs[:1])
    for pair in pairs[1:MOST_PAIRS]:
        size += len(pair.before) + len(pair.after)
        if size > MOST_BYTES * 0.6:
            break
        fitting.append(pair)
    return fitting


def _pair(pair: Pair, *, first: bool) -> str:
    size = jpeg_size(pair.before)
    fit = ""
    if size is not None and size[1] > size[0] * 0.75:  # upright pictures: as wide as keeps them on one screen
        fit = f' style="--fit:{max(260, round(720 * size[0] / size[1]))}px"'
    name = f"frame {pair.frame}"
    sides = "".join(
        f'<div class="side {css_class}">{image(data, f"{label}, {name}")}<span>{label}</span></div>'
        for css_class, label, data in (("before", "Source", pair.before), ("after", "Result", pair.after))
    )
    note = f" · {text(pair.note)}" if pair.note else ""
    return (
        f'<figure class="pair{" first" if first else ""}"><div class="frames"{fit}>{sides}'
        f'<input type="range" min="0" max="100" value="50" aria-label="Split between source and result, {name}"></div>'
        f"<figcaption><b>Frame {pair.frame:,}</b> · {text(pair.timecode)}{note}</figcaption></figure>"
    )


def _player(data: ReportData) -> str:
    html = page_player.player(data)
    return _section("Before and after, playing", html, under=page_player.player_note(data)) if html else ""


def _moments(data: ReportData) -> str:
    html = page_moments.moments(data)
    return _section("Worst moments", html, under=page_moments.EXPLANATION) if html else ""


def _facts(data: ReportData) -> str:
    if not data.facts:
        return ""
    rows = "".join(
        f'<tr class="{"same" if a == b else "" if what == "File" else "differs"}"><th scope="row">{text(what)}</th>'
        f'<td data-side="{"both" if a == b else "in"}">{text(a)}</td><td data-side="out">{text(b)}</td></tr>'
        for what, a, b in data.facts
    )
    table = f"<table><thead><tr><th></th><th>In</th><th>Out</th></tr></thead><tbody>{rows}</tbody></table>"
    return _section("Footage", table, under="What differs is marked.", css_class="facts")


def _sheet(data: ReportData) -> str:
    if not data.keys:
        return ""
    pairs_bytes = sum(len(p.before) + len(p.after) for p in _fitting(data.pairs))
    chosen = spread(data.keys, MOST_CARDS)
    while len(chosen) > 6 and pairs_bytes + sum(len(c.source) + len(c.painting) for c in chosen) > MOST_BYTES:
        chosen = spread(data.keys, len(chosen) - 4)
    painted = max(len(data.keys), sum(row.painted for row in data.frames))
    left = painted - len(chosen)
    cards = "".join(_card(card) for card in chosen)
    size = jpeg_size(chosen[0].source)
    upright = size is not None and size[1] > size[0]
    html = f'<ol class="sheet{" upright" if upright else ""}">{cards}</ol>'
    if left > 0:
        html += (
            f'<p class="soft small" style="margin-top:20px">{len(chosen):,} of {painted:,} painted frames are shown, evenly '
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
    return _section("Keyframes", html, under=under)


def _card(card: KeyCard) -> str:
    css_class = ' class="repair"' if card.reason == "repair" else ""
    images = "".join(
        image(data, f"{label}, frame {card.frame}")
        for label, data in (("Source", card.source), ("Mattes", card.matte), ("Painting", card.painting))
        if data
    )
    return (
        f'<li{css_class}><div class="both">{images}</div>'
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
        f"<th{' class=number' if column else ''}>{name}</th>"
        for column, name in enumerate(
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
            thousandths([row.warp_error for row in inside]),
            thousandths([row.source_warp_error for row in inside]),
        )
        begins = "" if shot.begins in ("start", "cut") else f' <span class="soft">{text(shot.begins)}</span>'
        rows += f"<tr><td>{shot.index}{begins}</td>" + "".join(f'<td class="number">{c}</td>' for c in cells) + "</tr>"
    more = len(data.shots) - MOST_SHOTS
    rest = f'<p class="soft small">{more:,} more shots are in report.json.</p>' if more > 0 else ""
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{rest}'
    return _section("Shots", table, under="Means over each shot’s frames.")


def _happened(data: ReportData) -> str:
    html = ""
    if data.notes:
        items = "".join(f"<li>{text(note)}</li>" for note in data.notes[:MOST_NOTES])
        html += f'<h3>Notes</h3><ul class="notes">{items}</ul>'
        if len(data.notes) > MOST_NOTES:
            html += f'<p class="soft small">{len(data.notes) - MOST_NOTES:,} more notes are in report.json.</p>'
    reasons = Counter(row.reason for row in data.frames if row.painted and row.reason)
    if reasons:
        listed = ", ".join(f"{count:,} × {text(REASONS.get(name, name))}" for name, count in reasons.most_common())
        html += f"<h3>Why frames were painted</h3><p>{listed}.</p>"
    repaired = [row.frame for row in data.frames if row.repaired]
    if repaired:
        html += f"<h3>Repaired frames</h3><p>{ranges(repaired)}</p>"
    if data.timings:
        html += f"<h3>Time</h3>{_bars(data)}"
    return _section("What happened", html) if html else ""


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
    html = ""
    if data.recipe:
        plain = json.dumps(plain_value(data.recipe), indent=2, ensure_ascii=False)
        html = "<pre>" + "\n".join(text(line) for line in plain.split("\n")) + "</pre>"
    if data.versions:
        items = "".join(f"<div><dt>{text(n)}</dt><dd>{text(v)}</dd></div>" for n, v in data.versions.items())
        html += f'<h3>Made with</h3><dl class="pairs-list">{items}</dl>'
    return (
        _section("Recipe", html, under="With the same footage and versions it gives the same pixels.") if html else ""
    )


def _foot(data: ReportData) -> str:
    version = data.versions.get("restyle")
    maker = f"restyle {text(version)}" if version else "restyle"
    return f"<footer>Made by {maker}. Everything is inside this file; it asks nothing of any network.</footer>"
