"""Joining segments into the output: packets and finished pictures are copied, nothing is encoded again."""

from __future__ import annotations

import heapq
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from restyle.errors import FootageError, OutputError, OutputExistsError, show_path
from restyle.files.owned import LIST_NAME, OwnFiles, refuse_inputs
from restyle.files.writing import discard, output_lock, partial_path, settle, sync, write_file
from restyle.footage.clock import CONTINUOUS, clock_of
from restyle.footage.encoders import fourcc
from restyle.footage.ending import last_end
from restyle.footage.matroska import PLACEHOLDER, write_pixel_aspect
from restyle.footage.numbering import find_pictures
from restyle.footage.opening import file_url, open_container
from restyle.footage.orientation import display_matrix
from restyle.footage.output import OutputSpec, output_trouble
from restyle.footage.passthrough import Passenger, Retimed, take_along
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
    """Pictures that restyle did not write, or that were changed since, are not replaced."""
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
    parts = [Path(s) for s in segments]
    try:
        if out.kind == "sequence":
            _conform_pictures(parts, out, source, span, unchanged)
            return list(out.notes)
        return list(out.notes) + _conform_video(parts, out, source, pts, span, retimed, unchanged)
    except (av.FFmpegError, OSError) as error:
        raise output_trouble(out.path, error) from error


def _conform_pictures(
    parts: list[Path], out: OutputSpec, source: FootageSpec, span: range, unchanged: Callable[[], None]
) -> None:
    numbering = out.numbering
    folder = numbering.folder
    whole = not folder.exists()  # a folder of its own can appear in one step
    hidden = partial_path(out.target)
    try:
        hidden.mkdir()
        names = {}
        for part in parts:
            for file in part.iterdir():
                names[int(file.name)] = file
        if sorted(names) != list(span):
            lost = next((n for n in span if n not in names), span.stop)
            raise OutputError(f"the segments do not hold frame {lost}; run the same command again")
        made = []
        for number in span:
            target = hidden / numbering.name(source.first_number + number)
            shutil.copyfile(names[number], target)
            made.append(target)
        unchanged()
        new = OwnFiles.of_folder(hidden, "run")
        if whole:
            (hidden / LIST_NAME).write_text(new.to_text())
            settle(hidden, folder)
            return
        for file in made:
            sync(file)
        with output_lock(
            folder / LIST_NAME, wait=True
        ):  # sequences of other names may be written into the folder just now
            old = OwnFiles.read(folder) or OwnFiles("run", {})
            _refuse_foreign_pictures(folder, [file.name for file in made if os.path.lexists(folder / file.name)])
            write_file(folder / LIST_NAME, old.joined(new).to_text().encode())  # a kill leaves some old, some new
            for file in made:
                os.replace(file, folder / file.name)
            sync(folder)
            write_file(folder / LIST_NAME, old.replaced(new).to_text().encode())
    finally:
        discard(hidden)


def _conform_video(
    parts: list[Path],
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
        warnings = _mux(hidden, parts, out, source, pts, span, retimed)
        if _needs_display(out):
            write_pixel_aspect(hidden, out.width, out.height, out.pixel_aspect)
        unchanged()
        settle(hidden, final)
        return warnings
    finally:
        discard(hidden)


def _frame_numbers(parts: list[Path], span: range) -> tuple[list[int], bytes | None]:
    """Frame numbers of all packets in the order of coding, and the decoder's set-up data that all segments share."""
    numbers: list[int] = []
    setup: bytes | None = None
    for position, part in enumerate(parts):
        try:
            with _undecoded(part) as container:
                stream = container.streams.video[0]
                own = stream.codec_context.extradata
                if position and own != setup:
                    raise OutputError(
                        f"segment {show_path(part)} was encoded with other settings; run the same command again"
                    )
                setup = own
                numbers += [packet.pts for packet in container.demux(stream) if packet.size and packet.pts is not None]
        except (av.FFmpegError, FootageError, IndexError) as error:
            raise OutputError(f"segment {show_path(part)} is damaged; run the same command again") from error
    have = sorted(numbers)
    if have != list(span):
        known = set(have)
        lost = next((n for n in span if n not in known), None)
        what = f"do not hold frame {lost}" if lost is not None else "hold other frames than those asked for"
        raise OutputError(f"the segments {what}; run the same command again")
    return numbers, setup


def _mux(
    hidden: Path,
    parts: list[Path],
    out: OutputSpec,
    source: FootageSpec,
    pts: Sequence[int],
    span: range,
    retimed: Retimed | None,
) -> list[str]:
    numbers, _ = _frame_numbers(parts, span)
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
        model = stack.enter_context(open_container(parts[0]))
        stream = container.add_stream_from_template(model.streams.video[0], opaque=True)
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
        counted = label_rate(source.timecode or "", source.rate, variable=source.variable_rate)
        if source.timecode and counted:
            passed = (pts[span.start] - pts[0]) * base * counted if source.variable_rate else Fraction(span.start)
            moved = advanced_timecode(source.timecode, round(passed), counted)
            (container if out.container == "avi" else stream).metadata["timecode"] = moved
            if out.container in ("mp4", "mov"):
                context.framerate = counted  # by which a track of timecode is made, and nothing else
        passengers: list[Passenger] = []
        if source.kind == "video":
            origin, passengers = take_along(stack, container, out, source, clock, origin, finish, span, retimed=retimed)
        container.start_encoding()
        early = round((begin - origin) / base)  # by how much sound comes before the first picture
        shift = pts[span.start] - (0 if out.container == "avi" else early)
        pictures = _video_packets(parts, stream, numbers, pts, span, end, shift, base, out.container in ("mp4", "mov"))
        flows = [pictures, *(passenger.packets(container) for passenger in passengers)]
        for _, _, packet in heapq.merge(
            *(_timed(flow, place) for place, flow in enumerate(flows)), key=lambda item: item[:2]
        ):
            container.mux_one(packet)
        container.close()
        return [note for passenger in passengers for note in passenger.notes]


def _timed(packets: Iterator[Any], place: int) -> Iterator[tuple[Fraction, int, Any]]:
    """Packets with the time by which they are interleaved."""
    for packet in packets:
        when = packet.dts if packet.dts is not None else packet.pts
        yield when * packet.time_base, place, packet


def _video_packets(
    parts: list[Path],
    stream: Any,
    numbers: list[int],
    pts: Sequence[int],
    span: range,
    end: int,
    shift: int,
    base: Fraction,
    sums: bool,
) -> Iterator[Any]:
    """The segments' packets with the footage's own time stamps.

    Decoding times are the presentation times themselves, delayed by as many frames as the codec reorders: ``dts[i] =
    pts[i - delay]`` over the sorted stamps, which never exceeds the packet's own pts and always grows, whatever the rate does.
    """
    delay = max(place - (number - span.start) for place, number in enumerate(numbers))
    # mp4 adds up decoding times: those before the first frame are as far apart as makes the sum the true duration.
    tail = end - pts[span.stop - 1 - delay]
    step = max(1, tail // (delay + 1))
    summed = max(1, tail - delay * step)
    place = 0
    for part in parts:
        with _undecoded(part) as container:
            for packet in container.demux(container.streams.video[0]):
                if not packet.size:
                    continue
                number = packet.pts or 0
                early = place - delay
                due = pts[span.start + early] if early >= 0 else pts[span.start] + early * step
                packet.stream = stream
                packet.time_base = base
                packet.pts = pts[number] - shift
                packet.dts = due - shift
                packet.duration = (pts[number + 1] if number + 1 < span.stop else end) - pts[number]
                place += 1
                if place == len(numbers) and sums:
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


def _undecoded(part: Path) -> Any:
    """A segment, opened for its packets alone: FFmpeg would decode the first frames to look at them, which takes a tenth of a
    second for large ones."""
    options: Any = [{"skip_frame": "all"}]
    return av.open(file_url(part), stream_options=options)


def _close_quietly(container: Any) -> None:
    """After an error the trailer may not fit either; the file is thrown away anyway."""
    with suppress(av.FFmpegError, OSError, ValueError):
        container.close()
