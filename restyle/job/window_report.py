"""Notes that a window takes of itself while it is rendered, and the parts of a report that are made of all windows' notes.

A window's notes are stored with its frames, so a report is the same whether a job ran once or in ten pieces.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from interp.pixels.sizes import shrunk
from restyle.footage import format_timecode
from restyle.footage.preview import PreviewEncoder
from restyle.job.moments import WorstMoments
from restyle.job.store import damaged
from restyle.planning.plan import Plan
from restyle.quality import measures
from restyle.quality.pictures import CARD_SIDE, PAIR_SIDE, jpeg_of, overlay_matte
from restyle.quality.report import MOST_CARDS, MOST_PAIRS, FrameRow, KeyCard, Pair, spread
from restyle.quality.streaming import Measurer, Row
from restyle.render.protocols import Rendered
from restyle.types import FootageSpec

__all__ = ["PREVIEW", "WindowNotes", "frame_rows", "key_cards", "large_pairs", "preview_span"]


PREVIEW = "preview.h264"
PREVIEW_SECONDS = 10
PREVIEW_FRAMES = 300


def preview_span(plan: Plan) -> range:
    """Frames of the preview clip: the first seconds of the result."""
    first = plan.shots[0].start
    return range(first, first + min(plan.frames, PREVIEW_FRAMES, max(1, round(PREVIEW_SECONDS * plan.rate))))


class WindowNotes:
    """Measures every frame of one window as it passes, and keeps small pictures of the painted ones.

    ``preview``: frames that become part of the preview clip.
    """

    def __init__(self, folder: Path, spec: FootageSpec, preview: range) -> None:
        self._folder = folder
        self._preview = preview
        self._encoder = PreviewEncoder(spec)
        self._measurer = Measurer(long_range=False)
        self._moments = WorstMoments()
        self._rows: list[dict[str, Any]] = []
        (folder / "cards").mkdir()

    def add(self, frame: Rendered) -> None:
        """Measure the next frame of the window, in order. The boundary frame's row holds the figures of the pair alone."""
        number = frame.result.index
        row = self._measurer.push(
            frame.source.picture,
            frame.result.picture,
            number,
            shot_start=not self._rows,
            painted=frame.key is not None,
            region=frame.edited_region,
        ).to_json()
        if not frame.boundary:
            self._moments.look(frame, row["block_losses"] or ())
            if number in self._preview:
                self._encoder.add(frame.source.picture, frame.result.picture)
        row["boundary"] = frame.boundary
        row["coverage"] = round(frame.coverage, 4)
        row["reason"] = frame.key.reason if frame.key is not None else None
        if frame.edited_region is not None:
            row["area"] = round(cv2.mean(frame.edited_region)[0], 6)
            row["leakage"] = measures.leakage(frame.source.picture, frame.result.picture, frame.edited_region).share
        if frame.key is not None and not frame.boundary:
            cards = self._folder / "cards"
            for name, picture in (("source", frame.source.picture), ("painting", frame.result.picture)):
                (cards / f"{number:08d}.{name}.jpg").write_bytes(jpeg_of(picture, long_side=CARD_SIDE))
                if not any(earlier["reason"] for earlier in self._rows):
                    (cards / f"{number:08d}.{name}.large.jpg").write_bytes(jpeg_of(picture, long_side=PAIR_SIDE))
            if frame.edited_region is not None:
                small = overlay_matte(shrunk(frame.source.picture, CARD_SIDE), shrunk(frame.edited_region, CARD_SIDE))
                (cards / f"{number:08d}.matte.jpg").write_bytes(jpeg_of(small))
        self._rows.append(row)

    def save(self) -> None:
        """Write the rows beside the pictures."""
        if preview := self._encoder.finish():
            (self._folder / PREVIEW).write_bytes(preview)
        self._moments.save(self._folder / "cards")
        (self._folder / "rows.json").write_text(json.dumps(self._rows))


def frame_rows(folders: Sequence[Path], plan: Plan) -> list[FrameRow]:
    """Put the windows' rows together. ``folders``: those of ``plan.windows``, in order. Raises ``JobError``."""
    rows: dict[int, tuple[Row, dict[str, Any]]] = {}
    for folder in folders:
        for plain in _rows_of(folder):
            row, number = Row.from_json(plain), plain["frame"]
            if number in rows:  # the boundary frame: the window before measured the pair, this one the frame
                row = row.joined(rows[number][0])
            rows[number] = (row, plain)
    shot_of = {number: shot.index for shot in plan.shots for number in range(shot.start, shot.stop)}
    return [
        FrameRow(
            frame=number,
            shot=shot_of[number],
            coverage=plain["coverage"],
            warp_error=row.warp_error,
            source_warp_error=row.source_warp_error,
            sharpness=row.sharpness,
            structure=row.structure,
            moving_blocks=row.moving_blocks,
            block_losses=row.block_losses or (),
            flicker=row.flicker,
            painted=plain["reason"] is not None,
            reason=plain["reason"],
            area=plain.get("area"),
            leakage=plain.get("leakage"),
        )
        for number, (row, plain) in sorted(rows.items())
    ]


def key_cards(folders: Sequence[Path], plan: Plan, frames: Sequence[FrameRow]) -> list[KeyCard]:
    """Choose painted frames, and read their small pictures. ``frames``: as ``frame_rows`` gives them. Raises ``JobError``."""
    folder_of = {window.start: folder for window, folder in zip(plan.windows, folders, strict=True)}
    starts = sorted(folder_of)
    cards = []
    for row in spread([row for row in frames if row.painted], MOST_CARDS):
        pictures = folder_of[max(start for start in starts if start <= row.frame)] / "cards"
        cards.append(
            KeyCard(
                frame=row.frame,
                timecode=format_timecode(row.frame, plan.rate),
                reason=row.reason or "",
                source=_bytes(pictures / f"{row.frame:08d}.source.jpg"),
                painting=_bytes(pictures / f"{row.frame:08d}.painting.jpg"),
                matte=b"" if row.area is None else _bytes(pictures / f"{row.frame:08d}.matte.jpg"),
            )
        )
    return cards


def large_pairs(folders: Sequence[Path], plan: Plan) -> list[Pair]:
    """Choose windows, and read the large pictures of their first painted frames. Raises ``JobError``."""
    large = [path for folder in folders for path in sorted((folder / "cards").glob("*.source.large.jpg"))]
    pairs = []
    for path in spread(large, MOST_PAIRS):
        number = int(path.name.partition(".")[0])
        after = path.with_name(path.name.replace(".source.", ".painting."))
        pairs.append(Pair(number, format_timecode(number, plan.rate), _bytes(path), _bytes(after)))
    return pairs


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
