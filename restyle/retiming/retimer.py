"""Another frame rate, or slow motion: the footage's own frames, and in-betweens where they do not fall on the new clock."""

from __future__ import annotations

import builtins
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from restyle.errors import RecipeError
from restyle.files.writing import held, part_of
from restyle.job.inputs import Inputs
from restyle.progress import Meter, ProgressCallback
from restyle.registry import make_interpolator
from restyle.render.contracts import checked_interpolation
from restyle.retiming.clock import count, drawings, instants, parse_rate, parse_slow
from restyle.types import FootageSpec, Frame

if TYPE_CHECKING:
    from interp.types import Interpolator
    from restyle.footage import Footage
    from restyle.planning.plan import Analysis

__all__ = ["Retiming", "retime"]

Sound = Literal["keep", "stretch", "drop"]


@dataclass(frozen=True)
class Retiming:
    """What ``retime`` made."""

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


@dataclass
class _Tally:
    kept: int = 0
    held: int = 0
    seen: int = 0


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
    from restyle.footage import SegmentWriter, check_output, conform, files_of, open_footage, plan_output, probe
    from restyle.footage.ending import last_end
    from restyle.footage.passthrough import Retimed
    from restyle.render.stream import WriteBehind

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
    wanted = spec.rate if fps is None else parse_rate(fps, "fps")
    out = plan_output(_clocked(spec, wanted), output, codec=codec, quality=quality, sound=sound, slow=factor)
    check_output(spec, out, overwrite=overwrite)
    inputs = Inputs()
    for path in files_of(source):
        inputs.watch(path)
    interpolator = make_interpolator(by, options or {})
    meter = Meter(progress, cancel)
    analysis = _analyse(source, cuts, range, rate, deinterlace, progress, cancel)
    span = builtins.range(analysis.start, analysis.stop)
    ticks = analysis.pts
    begin, end = ticks[span.start] * spec.time_base, last_end(spec, ticks, span) * spec.time_base
    times, length = _clock(spec, ticks[span.start : span.stop], begin, end)
    total = count(length * factor, wanted)
    clock = _clocked(spec, wanted, frames=total, first=span.start)
    keep = None if drawn is None else {span.start + n for n in drawings(times, length, parse_rate(drawn, "drawn"))}
    tally = _Tally()
    meter.begin("render", total)
    with held(out.target):
        aside = part_of(out.target)  # a folder: killed, it is swept with all that the segment's writer left in it
        aside.mkdir()
        segment = aside / "segment"
        with open_footage(source, rate=rate, deinterlace=deinterlace) as footage:
            frames = _frames(footage, analysis, keep, mend=repeats == "mend" and keep is None, tally=tally)
            made = _retimed(frames, times, span.start, length, set(analysis.cuts), interpolator, wanted, factor, tally)
            with (
                closing(frames),
                SegmentWriter(segment, out, clock) as writer,
                WriteBehind(writer.write, depth=4) as sink,
            ):
                for number, (picture, alpha) in enumerate(made):
                    sink.put(Frame(number, number, np.ascontiguousarray(picture), alpha))
                    meter.step(f"{interpolator.name} frame {number}")
        meter.begin("finish", total)
        whole = (span.start == 0, span.stop == len(ticks) and (spec.frames is None or span.stop >= spec.frames))
        notes = conform(
            [segment],
            out,
            clock,
            pts=builtins.range(total),
            span=builtins.range(total),
            overwrite=overwrite,
            retimed=Retimed(begin, end, whole, factor, sound),
            unchanged=inputs.check,
        )
    if spec.audio_streams and sound == "drop":
        notes.append("the sound was left out: pass sound=stretch (--sound stretch) to have it at the new length")
    return Retiming(
        output=Path(output),
        frames=total,
        rate=wanted,
        kept=tally.kept,
        repeated=len(times) - tally.seen,
        held=tally.held,
        seconds=time.perf_counter() - began,
        notes=(*spec.notes, *analysis.notes, *notes),
    )


def _frames(
    footage: Footage, analysis: Analysis, keep: set[int] | None, *, mend: bool, tally: _Tally
) -> Generator[Frame, None, None]:
    """The frames that motion runs through."""
    from restyle.render.stream import prefetch
    from restyle.retiming.repeats import without_repeats

    stream = prefetch(footage.frames(analysis.start, analysis.stop, pts=analysis.pts), depth=4)
    try:
        chosen: Iterator[Frame] = stream
        if keep is not None:
            chosen = (frame for frame in stream if frame.index in keep or frame.index in analysis.cuts)
        elif mend:
            chosen = without_repeats(stream, analysis.cuts)
        for frame in chosen:
            tally.seen += 1
            yield frame
    finally:
        stream.close()


def _retimed(
    frames: Iterator[Frame],
    times: list[Fraction],
    first: int,
    end: Fraction,
    cuts: set[int],
    interpolator: Interpolator,
    rate: Fraction,
    slow: Fraction,
    tally: _Tally,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Picture and alpha of every output frame, in order."""
    number = 0
    left: Frame | None = None
    for right in frames:
        if left is not None:
            bounds = times[left.index - first], times[right.index - first]
            shots = range(left.index + 1, right.index + 1)
            places = list(instants(number, *bounds, rate, slow))
            yield from _between(left, right, places, not cuts.isdisjoint(shots), interpolator, tally)
            number += len(places)
        left = right
    if left is None:
        return
    places = list(instants(number, times[left.index - first], end, rate, slow)) or [(number, Fraction(0))] * (
        not number
    )
    yield from _between(left, None, places, True, interpolator, tally)


def _between(
    left: Frame,
    right: Frame | None,
    places: list[tuple[int, Fraction]],
    apart: bool,
    interpolator: Interpolator,
    tally: _Tally,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """What is shown from ``left`` on until ``right``; ``apart``: there is a cut between them."""
    later = [float(place) for _, place in places if place]
    if len(later) < len(places):
        tally.kept += 1
        yield left.picture, left.alpha
    if apart or right is None or np.array_equal(left.picture, right.picture):
        tally.held += len(later)
        for _ in later:
            yield left.picture, left.alpha
        return
    pictures = checked_interpolation(interpolator, left.picture, right.picture, later)
    alphas = _alphas(left, right, later, interpolator)
    yield from zip(pictures, alphas, strict=True)


def _alphas(left: Frame, right: Frame, times: list[float], interpolator: Interpolator) -> Iterator[np.ndarray | None]:
    """Alpha moves by itself, as a grey picture would."""
    if left.alpha is None or right.alpha is None:
        yield from (None for _ in times)
        return
    one, other = (np.ascontiguousarray(np.dstack([alpha] * 3)) for alpha in (left.alpha, right.alpha))
    for picture in checked_interpolation(interpolator, one, other, times):
        yield np.ascontiguousarray(picture[:, :, 1])


def _analyse(
    source: str | Path,
    cuts: Any,
    span: Any,
    rate: Fraction | None,
    deinterlace: bool,
    progress: ProgressCallback | None,
    cancel: threading.Event | None,
) -> Analysis:
    from restyle.job.job import Job
    from restyle.recipe import Recipe

    fields = {name: value for name, value in (("cuts", cuts), ("range", span)) if value is not None}
    job = Job(
        source,
        None,
        Recipe.build("retime()", deinterlace=deinterlace, **fields),
        rate=rate,
        progress=progress,
        cancel=cancel,
    )
    return job.analyse()


def _clock(spec: FootageSpec, ticks: Sequence[int], begin: Fraction, end: Fraction) -> tuple[list[Fraction], Fraction]:
    """When each frame is shown, in seconds from the first one on, and for how long all of them are.

    At a constant rate the rate tells: containers round their stamps (Matroska to milliseconds), and frames that are only
    nearly in time would all have to be drawn anew.
    """
    if spec.variable_rate:
        return [tick * spec.time_base - begin for tick in ticks], end - begin
    return [number / spec.rate for number in range(len(ticks))], len(ticks) / spec.rate


def _clocked(spec: FootageSpec, rate: Fraction, *, frames: int | None = None, first: int = 0) -> FootageSpec:
    """The footage as it will be on the new clock, from its frame ``first`` on."""
    from restyle.footage.timecode import format_timecode, label_rate, parse_timecode

    timecode = spec.timecode
    counted = label_rate(timecode or "", spec.rate, variable=spec.variable_rate)
    if timecode is not None and counted is not None:
        begins = parse_timecode(timecode, counted) / counted + first / spec.rate
        drop = ";" in timecode and label_rate("00:00:00;00", rate) is not None  # else plain labels keep its time
        timecode = format_timecode(round(begins * rate), rate, drop)
    return replace(
        spec, rate=rate, time_base=1 / rate, variable_rate=False, frames=frames, timecode=timecode, headers=False
    )
