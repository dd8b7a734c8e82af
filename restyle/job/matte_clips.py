"""Mattes as clips: the footage with an object's matte as its alpha; ``matte_clip_masker`` reads them back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from restyle.footage import ClipWriter, Footage, plan_output
from restyle.footage.colour import to_depth
from restyle.job.mattes import Mattes
from restyle.types import Frame

__all__ = ["CLIPS", "export_clips"]

CLIPS = ("mov", "webm")
"""Forms that ``export_clips`` writes: ProRes 4444, and VP9."""


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
