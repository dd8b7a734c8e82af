"""Mattes as clips: the footage with an object's matte as its alpha, written and read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from restyle.errors import show_path
from restyle.types import Frame, Shot

if TYPE_CHECKING:
    from controls.types import Masked
    from restyle.footage import Footage
    from restyle.job.mattes import Mattes

__all__ = ["CLIPS", "export_clips", "read_clips"]

CLIPS = ("mov", "webm")
"""What ``export_clips`` writes: ProRes 4444, and VP9."""


def export_clips(
    mattes: Mattes,
    footage: Footage,
    pts: Sequence[int],
    span: range,
    folder: Path,
    form: str = "mov",
) -> None:
    """Write the footage with each object's matte as its alpha, with the footage's timing: ``folder/NAME.mov``, ProRes 4444, or
    ``NAME.webm``, VP9 (8 bits).

    Raises ``OutputError``, ``FootageError``.
    """
    from restyle.footage import ClipWriter, plan_output
    from restyle.footage.colour import to_depth

    spec = replace(footage.spec, has_alpha=True)
    plans = {name: plan_output(spec, folder / f"{name}.{form}") for name in mattes.names}
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(ClipWriter(plan, spec, pts=pts, span=span, overwrite=True))
            for name, plan in plans.items()
        }
        for frame in footage.frames(span.start, span.stop, pts=pts):
            for name, writer in writers.items():
                alpha = to_depth(mattes.of(name, frame.index), str(frame.picture.dtype), linear=False)
                writer.write(Frame(frame.index, frame.pts, frame.picture, alpha))


def read_clips(clips: Mapping[str, Path], shot: Shot, *, frames: int, size: tuple[int, int]) -> Iterator[Masked]:
    """Every frame's mattes in a shot, from one clip an object: its alpha, or its brightness if it has none.

    ``frames``: how many the footage has, and each clip must have; ``size``: width and height. Raises ``ValueError``, one line
    that names the clip, and ``FootageError`` if it cannot be read.
    """
    from controls.types import Masked
    from restyle.footage import open_footage, timing

    with ExitStack() as stack:
        flows: dict[str, Iterator[Frame]] = {}
        for name, path in clips.items():
            clip = stack.enter_context(open_footage(path))
            stamps = timing(path)
            own = (clip.spec.width, clip.spec.height)
            if own != size:
                raise ValueError(f"the mattes {show_path(path)} are {own[0]}x{own[1]}, the picture {size[0]}x{size[1]}")
            if len(stamps) != frames:
                raise ValueError(f"{show_path(path)} holds {len(stamps)} mattes, {frames} are needed: one a frame")
            flows[name] = clip.frames(shot.start, shot.stop, pts=stamps)
        for number in range(len(shot)):
            yield Masked(number, {name: _matte(next(flow)) for name, flow in flows.items()})


def _matte(frame: Frame) -> np.ndarray:
    values = frame.picture.mean(axis=2) if frame.alpha is None else frame.alpha
    whole = {"uint8": 255, "uint16": 65535}.get(str(frame.picture.dtype), 1)
    return np.ascontiguousarray((values / np.float32(whole)).clip(0, 1), dtype=np.float32)
