"""Joining segments into the output: packets and finished pictures are copied, nothing is encoded again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import av

from restyle.errors import OutputError, OutputExistsError, show_path
from restyle.files.owned import LIST_NAME, OwnFiles, refuse_inputs
from restyle.files.writing import discard, finalise, output_lock, partial_path, sync, write_file
from restyle.footage.muxing import mux_video
from restyle.footage.numbering import find_pictures
from restyle.footage.output import OutputSpec, output_trouble
from restyle.footage.passthrough import Retimed
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
        warnings = mux_video(hidden, segments, out, source, pts, span, retimed)
        unchanged()
        finalise(hidden, final)
        return warnings
    finally:
        discard(hidden)
