"""The report's data: plain frozen values that the engine fills in. Pictures come as JPEG bytes (``pictures.jpeg_of``)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from itertools import pairwise
from typing import Any

from interp.pixels.boxes import Box
from restyle.quality.moving_structure import LOST, StructureLoss

__all__ = ["SCHEMA", "VERSION", "FrameRow", "KeyCard", "Moment", "MovingPair", "Pair", "ReportData", "ShotRow"]

SCHEMA = "restyle.report"
VERSION = 1


@dataclass(frozen=True)
class FrameRow:
    """One frame's figures; ``None`` where nothing could be measured. ``quality.measures`` defines them."""

    frame: int
    """Number in the footage."""
    shot: int
    coverage: float | None = None
    """Share of the frame that its neighbouring paintings explain; 1 for a painted frame."""
    warp_error: float | None = None
    source_warp_error: float | None = None
    sharpness: float | None = None
    painted: bool = False
    """Painted, not filled."""
    reason: str | None = None
    """Why it was painted (``Keyframe.reason``; ``"repair"`` = added because its neighbours explained too little)."""
    flicker: float | None = None
    structure: float | None = None
    moving_blocks: int | None = None
    """Blocks that move and have edges (``moving_structure``)."""
    block_losses: tuple[tuple[int, int, float], ...] = ()
    """(row, column, loss) of those that lose something, the greatest first. In ``report.json``: how many are lost."""
    area: float | None = None
    """Share of the picture that layers touch; ``None`` where the whole picture is restyled."""
    leakage: float | None = None
    """Share of what no layer touches that differs from the footage, before it is encoded. Nothing but 0 is right."""

    @property
    def lost_blocks(self) -> int | None:
        """Count the moving blocks that lost their structure."""
        return None if self.moving_blocks is None else sum(loss > LOST for _, _, loss in self.block_losses)

    @property
    def repaired(self) -> bool:
        """Whether it was painted because no keyframe explained it."""
        return self.reason == "repair"


@dataclass(frozen=True)
class ShotRow:
    """Frames ``start`` up to, not including, ``stop``."""

    index: int
    start: int
    stop: int
    begins: str = "cut"
    """Why a shot begins here (``Shot.begins``)."""


@dataclass(frozen=True)
class KeyCard:
    """One painted keyframe of the contact sheet. At most ``report.MOST_CARDS`` are shown: make the pictures of more
    only to have them left out (``report.spread`` chooses as the page does)."""

    frame: int
    timecode: str
    reason: str
    source: bytes = b""
    """JPEG of ``pictures.CARD_SIDE`` pixels."""
    painting: bytes = b""
    matte: bytes = b""
    """The source, with what layers touch laid over it."""


@dataclass(frozen=True)
class Pair:
    """One before/after picture, compared by a slider."""

    frame: int
    timecode: str
    before: bytes = b""
    """JPEG of ``pictures.PAIR_SIDE`` pixels."""
    after: bytes = b""
    note: str = ""
    """A few words under the picture, for example why this frame is shown."""


@dataclass(frozen=True)
class Moment:
    """A place and a frame at which something that moves lost much of its structure (``moving_structure``)."""

    frame: int
    timecode: str
    loss: float
    box: Box
    """The surroundings: left, top, right, bottom in pixels of the footage."""
    source: bytes = b""
    """JPEG of the surroundings, as the next."""
    result: bytes = b""
    painting: bytes = b""
    """The same place if that frame were painted by itself: what the look allows."""


@dataclass(frozen=True)
class MovingPair:
    """A clip that shows source and result in step: the source above the result."""

    first: int
    """Number of its first frame in the footage."""
    frames: int
    size: tuple[int, int]
    """Width and height of either picture."""
    whole: bool
    """Whether it shows the whole result, or the first seconds of it."""
    data: bytes
    """MP4, H.264."""


@dataclass(frozen=True)
class ReportData:
    """All that a report shows. Same data, same bytes."""

    title: str
    """Mostly the output's name; may be any text: everything is escaped."""
    rate: Fraction
    """Frames a second of the result, for the time axis."""
    frames: Sequence[FrameRow]
    """Every frame of the result, ascending."""
    shots: Sequence[ShotRow] = ()
    keys: Sequence[KeyCard] = ()
    pairs: Sequence[Pair] = ()
    moments: Sequence[Moment] = ()
    """Where what moves lost most of its structure, the worst first."""
    moments_note: str = ""
    """One line under them."""
    moving_pair: MovingPair | None = None
    facts: Sequence[tuple[str, str, str]] = ()
    """Rows of the facts table: what, footage in, footage out. ``pictures.facts_of`` makes them from two specs."""
    notes: Sequence[str] = ()
    """Warnings and other things that a person should know: one line each."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Stage -> seconds, in order."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values."""
    versions: Mapping[str, str] = field(default_factory=dict)
    verdict: str = ""
    """One line under the title; empty = made from the figures."""
    pictures: str = ""
    """Folder of the report's pictures within the job folder (``stored_report``); empty: there is none."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further plain JSON values, for ``report.json`` alone."""

    def __post_init__(self) -> None:
        if not self.frames:
            raise ValueError("a report is about one frame at least")
        numbers = [row.frame for row in self.frames]
        if any(b <= a for a, b in pairwise(numbers)):
            raise ValueError("the frames of a report are in ascending order")
        if self.rate <= 0:
            raise ValueError(f"a rate is positive, got {self.rate}")

    def structure_loss(self) -> StructureLoss:
        """Sum up how much of its structure what moves lost."""
        return StructureLoss.of(self.frames)

    def summary(self) -> dict[str, float | int | None]:
        """Figures over all frames: counts, and means of what was measured (``None`` = nothing was)."""
        rows, moving = self.frames, self.structure_loss()
        painted = sum(row.painted for row in rows)
        between = [row.sharpness for row in rows if not row.painted]
        keys = [row.sharpness for row in rows if row.painted]
        ratio = _ratio(mean(between), mean(keys))
        return {
            "frames": len(rows),
            "shots": max(1, len(self.shots)),
            "painted": painted,
            "repaired": sum(row.repaired for row in rows),
            "coverage": mean([row.coverage for row in rows if not row.painted]),
            "warp_error": mean([row.warp_error for row in rows]),
            "source_warp_error": mean([row.source_warp_error for row in rows]),
            "warp_error_over_source": _ratio(
                mean([row.warp_error for row in rows]), mean([row.source_warp_error for row in rows])
            ),
            "flicker": mean([row.flicker for row in rows]),
            "structure": mean([row.structure for row in rows]),
            "sharpness": mean([row.sharpness for row in rows]),
            "in_between_sharpness": ratio,
            "moving_blocks": moving.blocks or None,
            "moving_lost": moving.lost,
            "moving_worst": moving.worst,
            "area": mean([row.area for row in rows]),
            "leakage": max((row.leakage for row in rows if row.leakage is not None), default=None),
            "seconds": sum(self.timings.values()),
            "frames_per_second": _ratio(float(len(rows)), sum(self.timings.values())),
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values; the pictures themselves stay out. Figures have six significant digits."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "title": self.title,
            "verdict": self.verdict,
            "rate": str(self.rate),
            "summary": {name: plain_number(value) for name, value in self.summary().items()},
            "facts": [list(row) for row in self.facts],
            "shots": [asdict(shot) for shot in self.shots],
            "keys": [_without_pictures(card) for card in self.keys],
            "pairs": [_without_pictures(pair) for pair in self.pairs],
            "moments": [_without_pictures(moment) for moment in self.moments],
            "moving_pair": None if self.moving_pair is None else _without_pictures(self.moving_pair),
            "pictures": self.pictures,
            "notes": list(self.notes),
            "timings": {name: plain_number(value) for name, value in self.timings.items()},
            "recipe": plain_value(self.recipe),
            "versions": plain_value(self.versions),
            "extra": plain_value(self.extra),
            "frames": [_plain_row(row) for row in self.frames],
        }


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of the values that are there; ``None`` if none is."""
    measured = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(measured) / len(measured) if measured else None


def plain_number(value: Any) -> Any:
    """A value as JSON can hold it: floats to six significant digits, those that are not finite as ``None``."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def plain_value(value: Any) -> Any:
    """Any value as JSON can hold it: mappings and sequences are walked, what JSON does not know becomes its text."""
    if isinstance(value, Mapping):
        return {str(name): plain_value(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [
            plain_value(item) for item in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)
        ]
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def _ratio(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


def _plain_row(row: FrameRow) -> dict[str, Any]:
    plain = {name: plain_number(value) for name, value in vars(row).items() if name != "block_losses"}
    return plain | {"lost_blocks": row.lost_blocks}


def _without_pictures(value: KeyCard | Pair | Moment | MovingPair) -> dict[str, Any]:
    plain = {item.name: getattr(value, item.name) for item in fields(value)}
    return {name: plain_value(item) for name, item in plain.items() if not isinstance(item, bytes)}
