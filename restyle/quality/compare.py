"""``restyle measure SOURCE RESULT``: two pieces of footage, frame against frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from interp.pixels.depth import to_uint8_truncated
from interp.structure import grid_of
from restyle.errors import FootageError, show_path
from restyle.footage import Footage, open_footage
from restyle.planning.shots import CutFinder, Kind, shots_between
from restyle.progress import Meter, ProgressCallback
from restyle.quality.motion import Preset
from restyle.quality.moving_structure import BlockLoss, StructureLoss, worst_moments
from restyle.quality.report_data import mean, plain_number
from restyle.quality.streaming import Measurer, Row, measuring_size
from restyle.quality.true_motion import TrueMotion
from restyle.types import FootageSpec, Frame, Shot

__all__ = ["VERSION", "Comparison", "compare", "shots_of"]

VERSION = 1
CUT_SIZE = 256  # long side of the pictures in which cuts are looked for

FindShots = Callable[[str | Path], Sequence[Shot]]


@dataclass(frozen=True)
class Comparison:
    """The result of ``compare``."""

    source: str
    result: str
    size: tuple[int, int]
    """Width and height at which it was measured."""
    source_frames: int
    result_frames: int
    shots: tuple[Shot, ...]
    rows: tuple[Row, ...]
    """One a frame that both have."""
    findings: tuple[str, ...]
    """Differences in what a conformed result shares with its source: one line each. Empty is good."""

    def summary(self) -> dict[str, float | int | None]:
        """Means over all frames; beside every warp error the source's own, which is the floor."""
        figures: dict[str, float | int | None] = {"frames": len(self.rows), "shots": len(self.shots)}
        for name in asdict(self.rows[0]):
            if name not in ("frame", "moving_blocks", "block_losses"):
                figures[name] = mean([getattr(row, name) for row in self.rows])
        for name in ("warp_error", "long_range", "sharpness"):
            here, floor = figures[name], figures[f"source_{name}"]
            figures[f"{name}_over_source"] = here / floor if here is not None and floor else None
        here, alone = (
            mean([row.warp_error for row in self.rows if row.painted_warp_error]),
            figures["painted_warp_error"],
        )
        figures["warp_error_over_painted"] = here / alone if here is not None and alone else None
        if any(row.moving_blocks is not None for row in self.rows):
            loss = self.structure_loss()
            figures |= {"moving_blocks": loss.blocks, "moving_lost": loss.lost, "moving_worst": loss.worst}
        return figures

    def structure_loss(self) -> StructureLoss:
        """Share of its structure that what moves lost, over all frames. Measured only against a painting of every frame."""
        return StructureLoss.of(self.rows)

    def position(self, block: BlockLoss) -> tuple[float, float]:
        """Share of the width and of the height at which a block's middle lies."""
        rows, columns = grid_of(*measuring_size(*self.size))
        return (block.column + 0.5) / columns, (block.row + 0.5) / rows

    def worst_moments(self, count: int = 10) -> list[BlockLoss]:
        """Blocks that lost most, of different moments, the worst first."""
        losses = [BlockLoss(row.frame, r, c, loss) for row in self.rows for r, c, loss in row.block_losses or ()]
        return worst_moments(losses, count)

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``; figures to six significant digits."""
        return {
            "schema": "restyle.comparison",
            "version": VERSION,
            "source": self.source,
            "result": self.result,
            "size": list(self.size),
            "source_frames": self.source_frames,
            "result_frames": self.result_frames,
            "findings": list(self.findings),
            "summary": {name: plain_number(value) for name, value in self.summary().items()},
            "worst_moments": [asdict(block) for block in self.worst_moments()],
            "shots": [asdict(shot) for shot in self.shots],
            "frames": [row.to_json() for row in self.rows],
        }


def compare(
    source_path: str | Path,
    result_path: str | Path,
    *,
    painted_path: str | Path | None = None,
    truth_path: str | Path | None = None,
    size: int | None = None,
    shots: Sequence[Shot] | FindShots | None = None,
    preset: Preset = "medium",
    rate: Any = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Comparison:
    """Measure a result against its source, frame by frame, in flat memory.

    ``painted_path``: the same look, every frame painted by itself: what moves is then judged by it, block by block (see
    ``moving_structure``), and its own warp error is measured beside the result's.

    ``truth_path``: folder of truth of the source (see ``truth``), from its first frame on: warp errors between neighbours are
    then taken along the true motion, and its shots are the source's. Without it, only where two estimators agree
    (``motion.agreed_motion``).

    ``size``: long side, in pixels, to which both are shrunk; ``None`` = the source's full size (a result of another
    size is brought to the source's). ``shots``: the source's shots, or what finds them (``shots_of``, the default): nothing is
    compared across a cut. ``preset``: of the DIS flow. ``rate``: of picture sequences.

    Footage that differs in size, frame count, rate, audio or colour tags is measured as far as it goes, and the difference
    is told in ``findings``. Raises ``FootageError`` if either cannot be read or has no frame, ``RecipeError`` if the truth
    cannot be read or is of other footage, ``Cancelled``.
    """
    true_motion = None if truth_path is None else _true_motion(truth_path, source_path, rate)
    if true_motion is not None:
        shots = true_motion.shots
    find_shots = shots or (lambda path: shots_of(path, rate=rate))
    source_shots = find_shots if isinstance(find_shots, Sequence) else find_shots(source_path)
    starts = {shot.start for shot in source_shots}
    meter = Meter(progress, cancel)
    with ExitStack() as stack:
        source = stack.enter_context(open_footage(source_path, rate=rate))
        result = stack.enter_context(open_footage(result_path, rate=rate))
        paintings = _paintings(stack, painted_path, rate)
        meter.begin("analyse", source.spec.frames)
        measured = measuring_size(source.spec.width, source.spec.height, size)
        measurer = Measurer(long_side=size, preset=preset, t_of=True, edges=True)
        rows: list[Row] = []
        counts = [0, 0]
        judged = 0
        for a, b in _side_by_side(stack, source, result):
            if a is not None and b is not None:
                cut = a.index in starts or not rows
                painting = next(paintings, None)
                alone = None if painting is None else painting.picture
                judged += painting is not None
                known = None if true_motion is None or cut else true_motion.between(a.index - 1, measured)
                row = measurer.push(a.picture, b.picture, a.index, shot_start=cut, painting=alone, motion=known)
                rows.append(row)
                meter.step("measuring")
            counts[0] += a is not None
            counts[1] += b is not None
    for path, count in ((source_path, counts[0]), (result_path, counts[1])):
        if not count:
            raise FootageError(f"{show_path(path)} has no frame to measure; give footage with a picture")
    findings = list(_findings(source.spec, result.spec, counts))
    if painted_path is not None and judged < len(rows):
        findings.append(f"{show_path(painted_path)} ends after {judged} frames: what moves is judged over those alone")
    return Comparison(
        source=str(source_path),
        result=str(result_path),
        size=measured,
        source_frames=counts[0],
        result_frames=counts[1],
        shots=tuple(source_shots),
        rows=tuple(rows),
        findings=tuple(findings),
    )


def shots_of(path: str | Path, *, rate: Any = None) -> tuple[Shot, ...]:
    """The shots of some footage, by ``restyle.planning.shots.CutFinder`` on small pictures. Raises ``FootageError``."""
    with open_footage(path, rate=rate) as footage:
        finder = CutFinder(footage.spec.rate)
        cuts: dict[int, Kind] = {}
        last = -1
        small = measuring_size(footage.spec.width, footage.spec.height, CUT_SIZE)
        with closing(footage.frames(size=small)) as frames:  # type: ignore[type-var]
            for frame in frames:
                cuts |= finder.push(frame.index, to_uint8_truncated(frame.picture))
                last = frame.index
        if last < 0:
            raise FootageError(f"{show_path(path)} has no frame to measure; give footage with a picture")
        cuts |= finder.finish(last)
    return shots_between(0, last + 1, cuts)


def _true_motion(folder: str | Path, source: str | Path, rate: Any) -> TrueMotion:
    with open_footage(source, rate=rate) as footage:
        return TrueMotion(folder, footage.spec)


def _paintings(stack: ExitStack, path: str | Path | None, rate: Any) -> Iterator[Frame]:
    """Frames of the footage in which every frame is painted; none without it."""
    if path is None:
        return iter(())
    footage = stack.enter_context(open_footage(path, rate=rate))
    return stack.enter_context(closing(footage.frames()))  # type: ignore[type-var]


def _side_by_side(stack: ExitStack, source: Footage, result: Footage) -> Iterator[tuple[Frame | None, Frame | None]]:
    """Frames of both in step; ``None`` on the side that has ended."""
    a, b = (stack.enter_context(closing(footage.frames())) for footage in (source, result))  # type: ignore[type-var]
    while True:
        pair = next(a, None), next(b, None)
        if pair == (None, None):
            return
        yield pair


def _findings(source: FootageSpec, result: FootageSpec, counts: Sequence[int]) -> Iterator[str]:
    if (source.width, source.height) != (result.width, result.height):
        yield (
            f"the result is {result.width}x{result.height}, the source {source.width}x{source.height}: "
            "measured at the source's"
        )
    if counts[0] != counts[1]:
        yield f"the result has {counts[1]} frames, the source {counts[0]}: measured over the first {min(counts)}"
    if source.rate != result.rate and source.kind == result.kind == "video":
        yield f"the result runs at {_rate(result.rate)}, the source at {_rate(source.rate)}"
    if source.audio_streams != result.audio_streams and result.kind == "video":
        yield f"the result has {result.audio_streams} audio streams, the source {source.audio_streams}"
    if source.colour != result.colour and source.kind == result.kind == "video":
        yield f"the result is tagged {_tags(result)}, the source {_tags(source)}"


def _rate(rate: Fraction) -> str:
    return f"{float(rate):.3f} fps ({rate})" if rate.denominator != 1 else f"{rate} fps"


def _tags(spec: FootageSpec) -> str:
    colour = spec.colour
    return "/".join(tag or "?" for tag in (colour.primaries, colour.transfer, colour.matrix, colour.range))
