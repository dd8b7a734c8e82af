"""Worst moments of what moves: crops that a window keeps while it is rendered, and the choice among them for the report."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from interp.pixels.boxes import Box, part_of
from interp.structure import grid_of
from restyle.footage import format_timecode
from restyle.job.store import damaged
from restyle.quality.moving_structure import LOST, BlockLoss, worst_moments
from restyle.quality.page_moments import MOST_MOMENTS
from restyle.quality.pictures import CARD_SIDE, jpeg_of
from restyle.quality.report import FrameRow, Moment
from restyle.quality.streaming import measuring_size
from restyle.render.protocols import Rendered

__all__ = ["WorstMoments", "surroundings", "worst_moments_of"]

MOST = 4  # crops that a window keeps
AROUND = 6  # blocks to a crop's side


class WorstMoments:
    """Crops of one window's worst moments, as JPEG, so that no frame has to be kept."""

    def __init__(self) -> None:
        self._crops: dict[BlockLoss, tuple[bytes, bytes]] = {}

    def look(self, frame: Rendered, losses: Sequence[tuple[int, int, float]]) -> None:
        """Take the frame's worst blocks, where they are worse than those that are kept. ``losses``: (row, column, loss),
        the greatest first."""
        new = [BlockLoss(frame.result.index, *block) for block in losses[:MOST] if block[2] > LOST]
        if new:
            chosen = worst_moments([*self._crops, *new], MOST)
            self._crops = {block: self._crops.get(block) or _cropped(frame, block) for block in chosen}

    def save(self, folder: Path) -> None:
        """Write the crops."""
        for block, (source, result) in self._crops.items():
            (folder / f"{_name_of(block)}.source.jpg").write_bytes(source)
            (folder / f"{_name_of(block)}.result.jpg").write_bytes(result)


def worst_moments_of(
    folders: Sequence[Path], frames: Sequence[FrameRow], rate: Fraction, size: tuple[int, int]
) -> list[Moment]:
    """Choose the worst moments of which a window kept crops. ``folders``: the windows'; ``size``: the footage's width and
    height. Raises ``JobError``."""
    crops = {
        path.name.removesuffix(".source.jpg"): path
        for folder in folders
        for path in (folder / "cards").glob("moment.*.source.jpg")
    }
    losses = [BlockLoss(row.frame, *block) for row in frames for block in row.block_losses if block[2] > LOST]
    moments = []
    for block in worst_moments([block for block in losses if _name_of(block) in crops], MOST_MOMENTS):
        source = crops[_name_of(block)]
        result = source.with_name(f"{_name_of(block)}.result.jpg")
        try:
            pictures = source.read_bytes(), result.read_bytes()
        except OSError as error:
            raise damaged(source) from error
        timecode = format_timecode(block.frame, rate)
        moments.append(Moment(block.frame, timecode, block.loss, surroundings(block, *size), *pictures))
    return moments


def surroundings(block: BlockLoss, width: int, height: int) -> Box:
    """The square round a block, within a picture of that size."""
    rows, columns = grid_of(*measuring_size(width, height))
    half = max(8, round(width / columns * AROUND / 2))
    left, right = _span(round((block.column + 0.5) / columns * width), half, width)
    top, bottom = _span(round((block.row + 0.5) / rows * height), half, height)
    return left, top, right, bottom


def _span(middle: int, half: int, size: int) -> tuple[int, int]:
    start = max(0, min(middle - half, size - 2 * half))
    return start, min(size, start + 2 * half)


def _cropped(frame: Rendered, block: BlockLoss) -> tuple[bytes, bytes]:
    """Source and result round a block, as JPEG."""
    height, width = frame.source.picture.shape[:2]
    part = part_of(surroundings(block, width, height))
    source, result = (jpeg_of(made.picture[part], long_side=CARD_SIDE) for made in (frame.source, frame.result))
    return source, result


def _name_of(block: BlockLoss) -> str:
    return f"moment.{block.frame:08d}.{block.row}.{block.column}"
