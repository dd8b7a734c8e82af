"""What a window tells of itself while it is rendered, and the report that is made of all windows in the end.

A window's notes are stored with its frames, so a report is the same whether a job ran once or in ten pieces.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from interp.pixels.sizes import shrunk
from restyle.footage import format_timecode
from restyle.job.store import damaged
from restyle.planning.plan import Plan
from restyle.quality import measures
from restyle.quality.pictures import CARD_SIDE, PAIR_SIDE, facts_of, jpeg_of, overlay_matte
from restyle.quality.report import MOST_CARDS, MOST_PAIRS, FrameRow, KeyCard, Pair, ReportData, ShotRow, spread
from restyle.quality.streaming import Measurer, Row
from restyle.render.protocols import Rendered
from restyle.types import FootageSpec

__all__ = ["WindowNotes", "report_data"]


class WindowNotes:
    """Measures every frame of one window as it passes, and keeps small pictures of the painted ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._measurer = Measurer(long_range=False)
        self._rows: list[dict[str, Any]] = []
        (folder / "cards").mkdir()

    def add(self, made: Rendered) -> None:
        """The next frame of the window, in order. The boundary frame's row holds the figures of the pair alone."""
        number = made.result.index
        row = self._measurer.push(made.source.picture, made.result.picture, number, shot_start=not self._rows).to_json()
        row["boundary"] = made.boundary
        row["coverage"] = round(made.coverage, 4)
        row["reason"] = made.key.reason if made.key is not None else None
        if made.edited_region is not None:
            row["area"] = round(cv2.mean(made.edited_region)[0], 6)
            row["leakage"] = measures.leakage(made.source.picture, made.result.picture, made.edited_region).share
        if made.key is not None and not made.boundary:
            cards = self._folder / "cards"
            for name, picture in (("source", made.source.picture), ("painting", made.result.picture)):
                (cards / f"{number:08d}.{name}.jpg").write_bytes(jpeg_of(picture, long_side=CARD_SIDE))
                if not any(kept["reason"] for kept in self._rows):
                    (cards / f"{number:08d}.{name}.large.jpg").write_bytes(jpeg_of(picture, long_side=PAIR_SIDE))
            if made.edited_region is not None:
                small = overlay_matte(shrunk(made.source.picture, CARD_SIDE), shrunk(made.edited_region, CARD_SIDE))
                (cards / f"{number:08d}.matte.jpg").write_bytes(jpeg_of(small))
        self._rows.append(row)

    def save(self) -> None:
        """Write the rows beside the pictures."""
        (self._folder / "rows.json").write_text(json.dumps(self._rows))


def report_data(
    folders: Sequence[Path],
    plan: Plan,
    *,
    title: str,
    source: FootageSpec,
    output: FootageSpec,
    recipe: Mapping[str, Any],
    versions: Mapping[str, str],
    timings: Mapping[str, float],
    notes: Sequence[str],
) -> ReportData:
    """Put the windows' notes together. ``folders``: those of ``plan.windows``, in order. Raises ``JobError``."""
    rows: dict[int, tuple[Row, dict[str, Any]]] = {}
    for folder in folders:
        for plain in _rows_of(folder):
            row, number = Row.from_json(plain), plain["frame"]
            if number in rows:  # the boundary frame: the window before measured the pair, this one the frame
                row = row.joined(rows[number][0])
            rows[number] = (row, plain)
    shot_of = {number: shot.index for shot in plan.shots for number in range(shot.start, shot.stop)}
    frames = [
        FrameRow(
            frame=number,
            shot=shot_of[number],
            coverage=plain["coverage"],
            warp_error=row.warp_error,
            source_warp_error=row.source_warp_error,
            sharpness=row.sharpness,
            structure=row.structure,
            flicker=row.flicker,
            painted=plain["reason"] is not None,
            reason=plain["reason"],
            area=plain.get("area"),
            leakage=plain.get("leakage"),
        )
        for number, (row, plain) in sorted(rows.items())
    ]
    homes = {window.start: folder for window, folder in zip(plan.windows, folders, strict=True)}
    starts = sorted(homes)
    painted = [row for row in frames if row.painted]
    cards = []
    for shown in spread(painted, MOST_CARDS):
        home = homes[max(start for start in starts if start <= shown.frame)] / "cards"
        cards.append(
            KeyCard(
                frame=shown.frame,
                timecode=format_timecode(shown.frame, plan.rate),
                reason=shown.reason or "",
                source=_bytes(home / f"{shown.frame:08d}.source.jpg"),
                painting=_bytes(home / f"{shown.frame:08d}.painting.jpg"),
                matte=b"" if shown.area is None else _bytes(home / f"{shown.frame:08d}.matte.jpg"),
            )
        )
    large = [path for folder in folders for path in sorted((folder / "cards").glob("*.source.large.jpg"))]
    pairs = []
    for path in spread(large, MOST_PAIRS):
        number = int(path.name.partition(".")[0])
        after = path.with_name(path.name.replace(".source.", ".painting."))
        pairs.append(Pair(number, format_timecode(number, plan.rate), _bytes(path), _bytes(after)))
    return ReportData(
        title=title,
        rate=plan.rate,
        frames=frames,
        shots=[ShotRow(shot.index, shot.start, shot.stop, shot.begins) for shot in plan.shots],
        keys=cards,
        pairs=pairs,
        facts=facts_of(source, output, frames=(source.frames, len(frames))),
        notes=notes,
        timings=timings,
        recipe=recipe,
        versions=versions,
    )


def _rows_of(folder: Path) -> list[dict[str, Any]]:
    try:
        return json.loads((folder / "rows.json").read_text())
    except (OSError, ValueError) as error:
        raise damaged(folder) from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise damaged(path) from error
