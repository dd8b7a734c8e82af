"""The plan: windows of work, from a recipe and its footage's analysis. Pure, printable, diffable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from restyle.errors import RecipeError
from restyle.painters.base import EveryFrame
from restyle.planning.keyframes import choose_keyframes
from restyle.planning.shots import Kind, shots_between
from restyle.recipe import Recipe
from restyle.types import FootageSpec, Keyframe, Shot, Window

__all__ = ["Analysis", "Plan", "make_plan"]

WINDOW_FRAMES = 48  # a window is about this long: a unit of resuming, and a group of pictures of the encoded result
WINDOW_BYTES = 2 << 30  # of source pictures held at once; huge pictures make shorter windows and gaps
FRAME_COST = 6.0  # pass 2 without painting, in units of pass 1: measured at 640x360 and 1280x720
LONGEST_GAP = 240  # frames; however keyframes were asked for


@dataclass(frozen=True)
class Analysis:
    """Pass 1's findings in the frames ``start`` up to ``stop``."""

    start: int
    stop: int
    pts: tuple[int, ...]
    """Presentation time of every frame from 0 up to ``stop``, in the footage's time base."""
    cuts: Mapping[int, Kind]
    keys: tuple[Keyframe, ...]
    """Keyframes by coverage; empty where the recipe pins them."""
    coverage: tuple[float, ...]
    """Share of each frame that the keyframe before it explains, at the small size; 1 where nothing was asked."""
    moved: tuple[float, ...]
    """Mean motion of each frame since the one before, as a share of the picture's diagonal."""
    notes: tuple[str, ...] = ()
    """Lines that a person should know about the footage, beyond its ``FootageSpec.notes``."""
    seconds: float = 0.0
    """Time that pass 1 took on this machine; the estimate of the whole job builds on it."""


@dataclass(frozen=True)
class Plan:
    """The work that will be done, in order."""

    source: str
    rate: Fraction
    shots: tuple[Shot, ...]
    keyframes: tuple[Keyframe, ...]
    windows: tuple[Window, ...]
    seconds: float
    """About how long painting and propagation will take on this machine."""
    notes: tuple[str, ...] = ()
    """Lines that a person should know about the footage."""

    @property
    def frames(self) -> int:
        """Number of frames that come out."""
        return self.shots[-1].stop - self.shots[0].start

    def to_json(self) -> dict[str, Any]:
        """Plain values, stable in order, for ``plan.json`` and ``--json``."""
        return {
            "source": self.source,
            "rate": str(self.rate),
            "frames": self.frames,
            "seconds": round(self.seconds, 1),
            "notes": list(self.notes),
            "shots": [asdict(shot) for shot in self.shots],
            "keyframes": [_plain(key) for key in self.keyframes],
            "windows": [
                {"shot": w.shot, "index": w.index, "start": w.start, "stop": w.stop, "keys": [k.frame for k in w.keys]}
                for w in self.windows
            ],
        }


def make_plan(
    spec: FootageSpec,
    recipe: Recipe,
    analysis: Analysis,
    *,
    key_cost: float = 0.0,
    every_frame: EveryFrame | None = None,
) -> Plan:
    """Turn what was found into windows.

    ``key_cost``: about how many times as long as pass 1's share of a frame the painting of one keyframe takes.
    ``every_frame``: of painters that make every frame (and the recipe says so); windows are then as long as they want them.
    Raises ``RecipeError`` if the recipe names a frame that is not there.
    """
    cuts: Mapping[int, Kind]
    if recipe.cuts == "auto":
        cuts = analysis.cuts
    elif recipe.cuts == "none":
        cuts = {}
    else:
        cuts = {frame: "given" for frame in recipe.cuts if isinstance(frame, int)}
    shots = shots_between(analysis.start, analysis.stop, dict(cuts))
    most = max(1, WINDOW_BYTES // spec.picture_bytes)
    keys = choose_keyframes(recipe, shots, analysis.keys, longest=min(LONGEST_GAP, most))
    windows = [
        window
        for shot in shots
        for window in (
            _windows(shot, [k for k in keys if shot.start <= k.frame < shot.stop], min(WINDOW_FRAMES, most))
            if every_frame is None
            else _overlapping(shot, keys, every_frame, most)
        )
    ]
    if every_frame is not None and every_frame.begins:
        _check_begun(shots, windows)
    frames = analysis.stop - analysis.start
    a_frame = analysis.seconds / max(1, frames)
    return Plan(
        source=spec.path,
        rate=spec.rate,
        shots=shots,
        keyframes=keys,
        windows=tuple(windows),
        seconds=a_frame * (FRAME_COST * frames + key_cost * len(keys)),
        notes=(*spec.notes, *analysis.notes),
    )


def _windows(shot: Shot, keys: Sequence[Keyframe], longest: int) -> list[Window]:
    """Group keyframes until a window is about ``longest`` frames; neighbours share their boundary keyframe."""
    windows: list[Window] = []
    start, group = shot.start, [keys[0]]
    for key in keys[1:]:
        group.append(key)
        if key.frame - start >= longest:
            windows.append(Window(shot.index, len(windows), start, key.frame, tuple(group)))
            start, group = key.frame, [key]
    windows.append(Window(shot.index, len(windows), start, shot.stop, tuple(group)))
    return windows


def _overlapping(shot: Shot, keys: Sequence[Keyframe], rule: EveryFrame, most: int) -> list[Window]:
    """Windows in which all frames are painted together, of at most ``most``, and which share ``rule.overlap`` frames."""
    longest = max(min(rule.longest, most), rule.overlap + 1)
    longest = max((longest - 1) // rule.multiple * rule.multiple + 1, rule.multiple + 1)
    of_shot = [key for key in keys if shot.start <= key.frame < shot.stop]
    windows: list[Window] = []
    start = 0
    while True:
        group = tuple(of_shot[start : start + longest])
        final = start + longest >= len(of_shot)
        stop = len(of_shot) if final else start + longest - rule.overlap
        windows.append(Window(shot.index, len(windows), shot.start + start, shot.start + stop, group))
        if final:
            return windows
        start = stop


def _check_begun(shots: Sequence[Shot], windows: Sequence[Window]) -> None:
    """Raise ``RecipeError`` where a shot's first window has no painted frame."""
    for shot in shots:
        first = next(window for window in windows if window.shot == shot.index)
        if all(key.picture is None for key in first.keys):
            raise RecipeError(
                f"the painter goes on from a painted frame, and shot {shot.index} has none: hand in one of its frames "
                f"{shot.start} to {first.keys[-1].frame}, the first at best (--keyframe-image {shot.start}=PICTURE)"
            )


def _plain(key: Keyframe) -> dict[str, Any]:
    plain: dict[str, Any] = {"frame": key.frame, "reason": key.reason}
    if key.picture is not None:
        plain["picture"] = str(key.picture)
    return plain
