"""Footage given another frame rate, or slow motion, from file to file."""

from __future__ import annotations

import builtins
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from restyle.errors import RecipeError
from restyle.footage import ClipWriter, Footage, check_output, files_of, open_footage, plan_output, probe
from restyle.footage.ending import last_end
from restyle.footage.passthrough import Retimed
from restyle.footage.timecode import format_timecode, label_rate, parse_timecode
from restyle.job.inputs import Inputs
from restyle.job.job import Job
from restyle.planning.plan import Analysis
from restyle.progress import Meter, ProgressCallback
from restyle.recipe import Recipe
from restyle.registry import make_interpolator
from restyle.render.stream import WriteBehind, prefetch
from restyle.retiming.clock import count, drawings, frame_times, parse_rate, parse_slow
from restyle.retiming.conversion import FrameRateConverter, Timeline
from restyle.retiming.repeats import without_repeats
from restyle.types import FootageSpec, Frame

__all__ = ["Retiming", "retime"]

Sound = Literal["keep", "stretch", "drop"]


@dataclass(frozen=True)
class Retiming:
    """The result of ``retime``."""

    output: Path
    frames: int
    rate: Fraction
    kept: int
    """Frames of the output that are the footage's own, untouched."""
    repeated: int
    """Frames of the footage that only repeated the one before, and gave way to motion."""
    held: int
    """In-betweens at a cut, at the end or between equal frames, where there is nothing to draw: the frame before stands."""
    seconds: float
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return asdict(self) | {"output": str(self.output), "rate": str(self.rate)}


def retime(
    source: str | Path,
    output: str | Path,
    *,
    fps: Fraction | float | str | None = None,
    slow: Fraction | float | str = 1,
    drawn: Fraction | float | str | None = None,
    by: str = "along-motion",
    options: Mapping[str, Any] | None = None,
    sound: Sound | None = None,
    repeats: Literal["mend", "keep"] = "mend",
    cuts: Any = "auto",
    range: Any = None,
    codec: str | None = None,
    quality: int | None = None,
    rate: Fraction | None = None,
    deinterlace: bool = False,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Retiming:
    """Give footage another frame rate, or make it slower.

    ``fps``: frames a second of the result; by default the footage's. ``slow``: how many times slower it runs (``"4x"``, 2.5).
    ``drawn``: at how many pictures a second it was drawn, where they are repeated (12 in footage of 24); else repeats of up
    to three are found by themselves, unless ``repeats`` is ``keep``. ``by``: the interpolator (``interp.interpolate``), with
    ``options``. ``sound``: ``keep`` (the default at normal speed), ``stretch`` to the new length at its own pitch, or ``drop``
    (the default of slow motion). ``cuts``, ``range``, ``codec``, ``quality``, ``deinterlace``: as in a recipe.
    ``rate``: of a picture sequence.

    Output frame n shows the instant n / (fps * slow) of the footage, exactly; it has ceil(duration * slow * fps) frames. A
    frame that falls on an instant is handed on untouched. Nothing is drawn across a cut. Memory does not grow with length.

    Raises ``RecipeError``, ``FootageError``, ``OutputError``, ``OutputExistsError``, ``MissingExtraError``,
    ``MissingModelError``, ``Cancelled``.
    """
    began = time.perf_counter()
    factor = parse_slow(slow)
    sound = sound or ("keep" if factor == 1 else "drop")
    if sound not in ("keep", "stretch", "drop"):
        raise RecipeError(f"sound is keep, stretch or drop, got {sound!r}")
    if repeats not in ("mend", "keep"):
        raise RecipeError(f"repeats is mend or keep, got {repeats!r}")
    if sound == "keep" and factor != 1:
        raise RecipeError("sound cannot be kept as it is when the pictures run slower: stretch it, or drop it")
    spec = probe(source, rate=rate, deinterlace=deinterlace)
    new_rate = spec.rate if fps is None else parse_rate(fps, "fps")
    out = plan_output(_clocked(spec, new_rate), output, codec=codec, quality=quality, sound=sound, slow=factor)
    check_output(spec, out, overwrite=overwrite)
    inputs = Inputs()
    for path in files_of(source):
        inputs.watch(path)
    interpolator = make_interpolator(by, options or {})
    meter = Meter(progress, cancel)
    recipe = Recipe.build("retime()", deinterlace=deinterlace, **_set_options(cuts=cuts, range=range))
    analysis = Job(source, None, recipe, rate=rate, progress=progress, cancel=cancel).analyse()
    span = builtins.range(analysis.start, analysis.stop)
    ticks = analysis.pts
    begin, end = ticks[span.start] * spec.time_base, last_end(spec, ticks, span) * spec.time_base
    times, length = frame_times(spec, ticks[span.start : span.stop], end - begin)
    total = count(length * factor, new_rate)
    clock = _clocked(spec, new_rate, frames=total, first=span.start)
    keep = None if drawn is None else {span.start + n for n in drawings(times, length, parse_rate(drawn, "drawn"))}
    whole = (span.start == 0, span.stop == len(ticks) and (spec.frames is None or span.stop >= spec.frames))
    converter = FrameRateConverter(
        Timeline(times, span.start, length, frozenset(analysis.cuts), new_rate, factor), interpolator
    )
    meter.begin("render", total)
    with ClipWriter(
        out,
        clock,
        pts=builtins.range(total),
        span=builtins.range(total),
        overwrite=overwrite,
        retimed=Retimed(begin, end, whole, factor, sound),
        unchanged=inputs.check,
    ) as clip:
        with (
            open_footage(source, rate=rate, deinterlace=deinterlace) as footage,
            closing(_moving_frames(footage, analysis, keep, mend=repeats == "mend" and keep is None)) as frames,
            WriteBehind(clip.write, depth=4) as sink,
        ):
            for number, (picture, alpha) in enumerate(converter.convert(frames)):
                sink.put(Frame(number, number, np.ascontiguousarray(picture), alpha))
                meter.step(f"{interpolator.name} frame {number}")
        meter.begin("finish", total)
    notes = clip.notes
    if spec.audio_streams and sound == "drop":
        notes.append("the sound was left out: pass sound=stretch (--sound stretch) to have it at the new length")
    return Retiming(
        output=Path(output),
        frames=total,
        rate=new_rate,
        kept=converter.kept,
        repeated=len(times) - converter.taken,
        held=converter.held,
        seconds=time.perf_counter() - began,
        notes=(*spec.notes, *analysis.notes, *notes),
    )


def _moving_frames(
    footage: Footage, analysis: Analysis, keep: set[int] | None, *, mend: bool
) -> Generator[Frame, None, None]:
    """The frames that motion runs through. ``keep``: their numbers, where they are known; ``mend``: without repeats."""
    stream = prefetch(footage.frames(analysis.start, analysis.stop, pts=analysis.pts), depth=4)
    try:
        if keep is not None:
            yield from (frame for frame in stream if frame.index in keep or frame.index in analysis.cuts)
        elif mend:
            yield from without_repeats(stream, analysis.cuts)
        else:
            yield from stream
    finally:
        stream.close()


def _set_options(**options: Any) -> dict[str, Any]:
    """The options that are not ``None``."""
    return {name: value for name, value in options.items() if value is not None}


def _clocked(spec: FootageSpec, rate: Fraction, *, frames: int | None = None, first: int = 0) -> FootageSpec:
    """The footage as it will be on the new clock, from its frame ``first`` on."""
    timecode = spec.timecode
    counted = label_rate(timecode or "", spec.rate, variable=spec.variable_rate)
    if timecode is not None and counted is not None:
        begins = parse_timecode(timecode, counted) / counted + first / spec.rate
        drop = ";" in timecode and label_rate("00:00:00;00", rate) is not None  # else plain labels keep its time
        timecode = format_timecode(round(begins * rate), rate, drop)
    return replace(
        spec, rate=rate, time_base=1 / rate, variable_rate=False, frames=frames, timecode=timecode, headers=False
    )
