"""Joining segments into the output: packets and finished pictures are copied, nothing is encoded again."""

from __future__ import annotations

import heapq
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from restyle.errors import FootageError, OutputError, OutputExistsError, show_path
from restyle.files.owned import LIST_NAME, OwnFiles, refuse_inputs
from restyle.files.writing import discard, finalise, output_lock, partial_path, sync, write_file
from restyle.footage.clock import CONTINUOUS, clock_of
from restyle.footage.encoders import fourcc
from restyle.footage.ending import last_end
from restyle.footage.matroska import PLACEHOLDER, write_pixel_aspect
from restyle.footage.numbering import find_pictures
from restyle.footage.opening import file_url, open_container
from restyle.footage.orientation import display_matrix
from restyle.footage.output import OutputSpec, output_trouble
from restyle.footage.passthrough import PacketFeed, Retimed, add_companions, plan_excerpt
from restyle.footage.timecode import advanced_timecode, label_rate
from restyle.types import FootageSpec

__all__ = ["check_output", "conform"]


def check_output(source: FootageSpec, out: OutputSpec, *, overwrite: bool = False, inputs: Sequence[Path] = ()) -> None:
    """Refuse, before any work, what ``conform`` would refuse in the end. ``inputs``: what is read beside the footage.

    Raises ``OutputExistsError`` if the output is there and ``overwrite`` is not set; ``OutputError`` if it is the footage
    itself or another input (by any name: link, other spelling), if it would replace pictures that restyle did not write, if its
    folder is missing, or if it cannot be written.
    """
    final = Path(out.path)
    shown = show_path(final)
    folder = out.numbering.folder if out.kind == "sequence" else final.parent
    holder = folder.parent if out.kind == "sequence" and not folder.is_dir() else folder  # a sequence makes its folder
    if not holder.is_dir():
        raise OutputError(f"there is no folder {show_path(holder)} to write {shown} into; create it first")
    if not os.access(holder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write into the folder {show_path(holder)}: permission denied")
    if out.kind == "video":
        if final.is_dir():
            raise OutputError(f"{shown} is a folder; give a file name")
        refuse_inputs(final, _pictures_of(source), "the footage itself")
        refuse_inputs(final, inputs)
        if os.path.lexists(final) and not overwrite:
            raise OutputExistsError(f"{shown} is there already; give another name, or --overwrite")
        return
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{show_path(folder)} is a file; a sequence needs a folder")
    if not folder.is_dir():
        return
    read = {(s.st_dev, s.st_ino) for s in (file.stat() for file in [*_pictures_of(source), *inputs] if file.is_file())}
    taken = sorted(entry.name for entry in os.scandir(folder) if out.numbering.number(entry.name) is not None)
    if any((s.st_dev, s.st_ino) in read for s in (os.stat(folder / name) for name in taken)):
        raise OutputError(
            f"{shown} is the footage itself, or what else is read for it; write the sequence into another folder, "
            "or under another name"
        )
    if taken and not overwrite:
        raise OutputExistsError(f"{show_path(folder / taken[0])} is there already; give another name, or --overwrite")
    _refuse_foreign_pictures(folder, taken)


def _refuse_foreign_pictures(folder: Path, names: Sequence[str]) -> None:
    """Raise ``OutputError`` for pictures that restyle did not write, or that were changed since: they are not replaced."""
    own = OwnFiles.read(folder)
    foreign = next((name for name in names if own is None or not own.has(folder, name)), None)
    if foreign is not None:
        raise OutputError(
            f"{show_path(folder / foreign)} was not written by restyle, or was changed since: "
            "move it away, or write into another folder"
        )


def _pictures_of(source: FootageSpec) -> list[Path]:
    path = Path(source.path)
    if source.kind == "video" or path.is_file():
        return [path]
    return list(find_pictures(path).files)


def conform(
    segments: Sequence[str | os.PathLike[str]],
    out: OutputSpec,
    source: FootageSpec,
    *,
    pts: Sequence[int],
    span: range,
    overwrite: bool = False,
    retimed: Retimed | None = None,
    unchanged: Callable[[], None] = lambda: None,
) -> list[str]:
    """Join finished segments into the output, and give the warnings that a person should read.

    ``segments`` in ascending order hold the frames of ``span``, all of them, once. ``pts``: time stamps of the source's frames
    from 0 to at least ``span.stop - 1``. A video's frames keep their stamps, relative to the span's start; the last one keeps
    its length. Along come all audio streams (packets untouched, trimmed to the span; encoded again, with a warning, only
    where the container cannot hold their codec), subtitles, chapters and metadata where the container takes them, timecode
    (moved on to the span's start), rotation, pixel aspect and colour tags. Pictures of a sequence are numbered on from the
    source's first number. The same segments give the same bytes. Pictures of an older run are replaced, never deleted.

    ``retimed``: the pictures run on another clock than the source; then ``pts``, ``span`` and ``source`` are the output's own,
    and what of the source travels along is said there. ``unchanged`` is called before the output gets its name, and raises if
    the source is no longer what it was.

    The output appears under its name when it is complete, not before. Raises ``OutputError``, also for a full disk, and what
    ``check_output`` raises.
    """
    check_output(source, out, overwrite=overwrite)
    if len(span) == 0 or len(pts) < span.stop:
        raise ValueError(f"time stamps are needed up to frame {span.stop - 1}, got {len(pts)}")
    paths = [Path(s) for s in segments]
    try:
        if out.kind == "sequence":
            _conform_pictures(paths, out, source, span, unchanged)
            return list(out.notes)
        return list(out.notes) + _conform_video(paths, out, source, pts, span, retimed, unchanged)
    except (av.FFmpegError, OSError) as error:
        raise output_trouble(out.path, error) from error


def _conform_pictures(
    segments: list[Path], out: OutputSpec, source: FootageSpec, span: range, unchanged: Callable[[], None]
) -> None:
    numbering = out.numbering
    folder = numbering.folder
    own_folder = not folder.exists()  # a folder of its own can appear in one step
    hidden = partial_path(out.target)
    try:
        hidden.mkdir()
        by_number = {}
        for segment in segments:
            for file in segment.iterdir():
                by_number[int(file.name)] = file
        if sorted(by_number) != list(span):
            lost = next((n for n in span if n not in by_number), span.stop)
            raise OutputError(f"the segments do not hold frame {lost}; run the same command again")
        pictures = []
        for number in span:
            target = hidden / numbering.name(source.first_number + number)
            shutil.copyfile(by_number[number], target)
            pictures.append(target)
        unchanged()
        new = OwnFiles.of_folder(hidden, "run")
        if own_folder:
            (hidden / LIST_NAME).write_text(new.to_text())
            finalise(hidden, folder)
            return
        for file in pictures:
            sync(file)
        with output_lock(
            folder / LIST_NAME, wait=True
        ):  # sequences of other names may be written into the folder just now
            old = OwnFiles.read(folder) or OwnFiles("run", {})
            _refuse_foreign_pictures(folder, [file.name for file in pictures if os.path.lexists(folder / file.name)])
            write_file(folder / LIST_NAME, old.joined(new).to_text().encode())  # a kill leaves some old, some new
            for file in pictures:
                os.replace(file, folder / file.name)
            sync(folder)
            write_file(folder / LIST_NAME, old.replaced(new).to_text().encode())
    finally:
        discard(hidden)


def _conform_video(
    segments: list[Path],
    out: OutputSpec,
    source: FootageSpec,
    pts: Sequence[int],
    span: range,
    retimed: Retimed | None,
    unchanged: Callable[[], None],
) -> list[str]:
    final = Path(out.path)
    hidden = partial_path(final)
    try:
        warnings = _mux(hidden, segments, out, source, pts, span, retimed)
        if _needs_display(out):
            write_pixel_aspect(hidden, out.width, out.height, out.pixel_aspect)
        unchanged()
        finalise(hidden, final)
        return warnings
    finally:
        discard(hidden)


def _frame_numbers(segments: list[Path], span: range) -> list[int]:
    """Read the frame numbers of all packets in the order of coding. Raises ``OutputError`` unless the segments fit together."""
    numbers: list[int] = []
    setup: bytes | None = None
    for position, segment in enumerate(segments):
        try:
            with _undecoded(segment) as container:
                stream = container.streams.video[0]
                own = stream.codec_context.extradata
                if position and own != setup:
                    raise OutputError(
                        f"segment {show_path(segment)} was encoded with other settings; run the same command again"
                    )
                setup = own
                numbers += [packet.pts for packet in container.demux(stream) if packet.size and packet.pts is not None]
        except (av.FFmpegError, FootageError, IndexError) as error:
            raise OutputError(f"segment {show_path(segment)} is damaged; run the same command again") from error
    have = sorted(numbers)
    if have != list(span):
        known = set(have)
        lost = next((n for n in span if n not in known), None)
        what = f"do not hold frame {lost}" if lost is not None else "hold other frames than those asked for"
        raise OutputError(f"the segments {what}; run the same command again")
    return numbers


@dataclass(frozen=True)
class _PictureTimes:
    """Time stamps of the output's pictures, in ticks of ``base`` seconds."""

    pts: Sequence[int]
    """Stamps of the source's frames, from frame 0 on."""
    span: range
    """Frames of the output."""
    end: int
    """Tick at which the last of them ends."""
    base: Fraction
    shift: int
    """Ticks from the source's time to the output's."""


def _mux(
    hidden: Path,
    segments: list[Path],
    out: OutputSpec,
    source: FootageSpec,
    pts: Sequence[int],
    span: range,
    retimed: Retimed | None,
) -> list[str]:
    numbers = _frame_numbers(segments, span)
    base = source.time_base
    clock = clock_of(source.path) if source.kind == "video" else CONTINUOUS
    end = last_end(source, pts, span, clock) if retimed is None else span.stop
    origin = begin = pts[span.start] * base if retimed is None else retimed.begin
    finish = end * base if retimed is None else retimed.end
    if out.container == "avi":
        # AVI has no time stamps, only a rate: one tick is one frame. (``plan_output`` refuses a variable rate.)
        base, pts, end = 1 / source.rate, range(span.stop), span.stop
    with ExitStack() as stack:
        container: Any = av.open(
            file_url(hidden), "w", format=out.container, container_options=_muxer_options(out, source)
        )
        stack.callback(_close_quietly, container)
        container.flags |= av.container.Flags.bitexact.value
        template = stack.enter_context(open_container(segments[0]))
        stream = _add_pictures(container, template, out, source, base)
        _add_timecode(container, stream, out, source, since_start=(pts[span.start] - pts[0]) * base, frames=span.start)
        feeds: list[PacketFeed] = []
        if source.kind == "video":
            excerpt = plan_excerpt(source, clock, origin, finish, span, retimed)
            origin, feeds = add_companions(stack, container, out, excerpt, retimed)
        container.start_encoding()
        early = round((begin - origin) / base)  # by how much sound comes before the first picture
        shift = pts[span.start] - (0 if out.container == "avi" else early)
        times = _PictureTimes(pts, span, end, base, shift)
        pictures = _video_packets(segments, stream, numbers, times, sums=out.container in ("mp4", "mov"))
        flows = [pictures, *(feed.packets() for feed in feeds)]
        for _, _, packet in heapq.merge(
            *(_timed(flow, rank) for rank, flow in enumerate(flows)), key=lambda item: item[:2]
        ):
            container.mux_one(packet)
        container.close()
        return [note for feed in feeds for note in feed.notes]


def _add_pictures(container: Any, template: Any, out: OutputSpec, source: FootageSpec, base: Fraction) -> Any:
    """Add the stream of pictures, coded as those of the segment ``template`` are, with the output's tags."""
    stream = container.add_stream_from_template(template.streams.video[0], opaque=True)
    stream.time_base = base
    context = stream.codec_context
    tag = fourcc(out)
    context.codec_tag = tag if tag else "\0\0\0\0"
    context.sample_aspect_ratio = out.pixel_aspect
    context.framerate = source.rate
    if _needs_display(out):
        stream.metadata["title"] = PLACEHOLDER
    if out.codec == "vp9" and out.has_alpha:
        stream.metadata["alpha_mode"] = "1"  # each packet's alpha is a packet of its own beside it
    if out.rotation or out.mirrored:
        stream.set_display_matrix(source.display_matrix or display_matrix(out.rotation, out.mirrored))
    return stream


def _add_timecode(
    container: Any, stream: Any, out: OutputSpec, source: FootageSpec, *, since_start: Fraction, frames: int
) -> None:
    """Write the source's timecode, moved on to the span's start: ``since_start`` seconds, ``frames`` frames into the source."""
    rate = label_rate(source.timecode or "", source.rate, variable=source.variable_rate)
    if not source.timecode or not rate:
        return
    elapsed = since_start * rate if source.variable_rate else Fraction(frames)
    holder = container if out.container == "avi" else stream
    holder.metadata["timecode"] = advanced_timecode(source.timecode, round(elapsed), rate)
    if out.container in ("mp4", "mov"):
        stream.codec_context.framerate = rate  # by which a track of timecode is made, and nothing else


def _timed(packets: Iterator[Any], rank: int) -> Iterator[tuple[Fraction, int, Any]]:
    """Give packets with the time, and the rank at one time, by which they are interleaved."""
    for packet in packets:
        when = packet.dts if packet.dts is not None else packet.pts
        yield when * packet.time_base, rank, packet


def _video_packets(
    segments: list[Path], stream: Any, numbers: list[int], times: _PictureTimes, *, sums: bool
) -> Iterator[Any]:
    """Read the segments' packets, and give them the footage's own time stamps.

    Decoding times are the presentation times themselves, delayed by as many frames as the codec reorders: ``dts[i] =
    pts[i - delay]`` over the sorted stamps, which never exceeds the packet's own pts and always grows, whatever the rate does.
    ``numbers``: of the frames, in the order of coding. ``sums``: the container adds up decoding times, as mp4 does.
    """
    pts, span, end = times.pts, times.span, times.end
    delay = max(position - (number - span.start) for position, number in enumerate(numbers))
    # mp4 adds up decoding times: those before the first frame are as far apart as makes the sum the true duration.
    tail = end - pts[span.stop - 1 - delay]
    step = max(1, tail // (delay + 1))
    summed = max(1, tail - delay * step)
    position = 0
    for segment in segments:
        with _undecoded(segment) as container:
            for packet in container.demux(container.streams.video[0]):
                if not packet.size:
                    continue
                number = packet.pts or 0
                early = position - delay
                due = pts[span.start + early] if early >= 0 else pts[span.start] + early * step
                packet.stream = stream
                packet.time_base = times.base
                packet.pts = pts[number] - times.shift
                packet.dts = due - times.shift
                packet.duration = (pts[number + 1] if number + 1 < span.stop else end) - pts[number]
                position += 1
                if position == len(numbers) and sums:
                    packet.duration = summed
                yield packet


def _muxer_options(out: OutputSpec, source: FootageSpec) -> dict[str, str]:
    if out.container in ("mp4", "mov"):
        # Edit lists count in this scale: it must hold the pictures' and the sounds' ticks, or sync is rounded to 1 ms.
        fine = math.lcm(source.time_base.denominator, *(c.rate for c in out.companions if c.rate))
        options = {"movie_timescale": str(fine if fine < 50_000_000 else 1_000_000)}
        return options | ({"movflags": "+faststart"} if out.container == "mp4" else {})
    if _needs_display(out):
        return {"write_crc32": "0"}  # the checksum would not fit what ``write_pixel_aspect`` changes
    return {}


def _needs_display(out: OutputSpec) -> bool:
    return out.container in ("matroska", "webm") and out.pixel_aspect != 1


def _undecoded(segment: Path) -> Any:
    """Open a segment for its packets alone: FFmpeg would decode the first frames to look at them, which takes a tenth of a
    second for large ones."""
    options: Any = [{"skip_frame": "all"}]
    return av.open(file_url(segment), stream_options=options)


def _close_quietly(container: Any) -> None:
    """Close a container: after an error the trailer may not fit either, and the file is thrown away anyway."""
    with suppress(av.FFmpegError, OSError, ValueError):
        container.close()
