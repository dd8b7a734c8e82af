"""Reading footage of any kind: the front door of ``video``, ``animation`` and ``sequence``."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal

from restyle.errors import FootageError, RecipeError, show_path, why
from restyle.footage.animation import animation_pts, probe_animation, read_animation
from restyle.footage.decoding import Damage
from restyle.footage.formats import FORMATS, format_of
from restyle.footage.numbering import find_pictures, is_pattern
from restyle.footage.opening import open_container
from restyle.footage.sequence import probe_sequence, read_sequence
from restyle.footage.stills import read_facts
from restyle.footage.video import probe_video, read_video, video_pts
from restyle.types import FootageSpec, Frame

__all__ = ["Footage", "files_of", "kind_of", "open_footage", "probe", "timing"]

SEQUENCE_RATE = Fraction(24)
"""Frames a second of an image sequence, unless somebody says otherwise: pictures carry no rate."""


def kind_of(path: str | os.PathLike[str]) -> Literal["picture", "sequence", "animation", "video"]:
    """What lies at a path. A file's content tells, not its name; one that is missing or of no known kind counts as a video.

    Raises ``FootageError`` for a damaged picture.
    """
    place = Path(path)
    if place.is_dir() or is_pattern(place):
        return "sequence"
    named = place.suffix.lower() in FORMATS
    if not place.is_file():
        return "video"
    try:
        with open(place, "rb") as file:
            kind = format_of(file.read(16))
    except OSError as error:
        raise FootageError(f"cannot read {show_path(path)}: {why(error)}") from error
    if kind is None:
        return "picture" if named and not _opens_as_video(place) else "video"
    if kind == "jpeg" and not named:
        return "video"  # Motion JPEG is one JPEG after the other
    if read_facts(place).pictures > 1 and kind in ("png", "webp"):
        return "video" if kind == "png" else "animation"  # FFmpeg does not decode animated WebP
    return "picture"


def _opens_as_video(path: Path) -> bool:
    try:
        open_container(path).close()
    except FootageError:
        return False
    return True


def probe(path: str | os.PathLike[str], *, rate: Fraction | None = None, deinterlace: bool = False) -> FootageSpec:
    """What a piece of footage is, from its headers: a video file, an animated picture, a pattern (``shot/frame.%04d.png``), a
    folder of pictures.

    ``rate``: frames a second of an image sequence (24 if not given); a video file has its own, and refuses another.
    ``deinterlace``: hand out whole pictures, made of the two fields of a video's frames, one for each frame.
    Raises ``FootageError`` in one line: missing, unreadable, empty, no video in it, a gap in a sequence, differing sizes.
    """
    place = Path(path)
    kind = kind_of(place)
    if deinterlace and kind != "video":
        raise RecipeError(f"{show_path(path)} holds pictures, not fields; --deinterlace is for video files")
    if kind in ("picture", "sequence"):
        chosen = SEQUENCE_RATE if rate is None else Fraction(rate)
        if chosen <= 0:
            raise RecipeError(f"a frame rate is positive, got {chosen}")
        return probe_sequence(place, chosen)
    spec = probe_animation(place) if kind == "animation" else probe_video(place, deinterlace=deinterlace)
    if rate is not None and Fraction(rate) != spec.rate:
        raise RecipeError(f"{show_path(path)} has its own rate, {spec.rate}; --rate is for image sequences")
    return spec


class Footage:
    """Open footage. A context manager; ``frames()`` may be called again and again, each time decoding anew."""

    def __init__(self, spec: FootageSpec) -> None:
        self.spec = spec
        self.damage = Damage()
        """Of a video: what passes from the first frame on have seen of it."""

    def frames(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        pts: Sequence[int] | None = None,
        size: tuple[int, int] | None = None,
    ) -> Generator[Frame, None, None]:
        """The frames ``start`` up to, not including, ``stop`` (the end), in order, upright, RGB, C-contiguous.

        Depth: uint8 for 8-bit sources, uint16 over the full 16 bits for deeper ones, float32 for EXR. YUV is converted by its
        colour tags; untagged, by bt709 from 720 lines on and by bt601 below, limited range.

        ``pts``: the time stamps of the frames from 0 on, found by an earlier pass; with them a late ``start`` seeks to the
        keyframe before it, exact to the frame. Without them decoding begins at the first frame.
        ``size``: (width, height) of small uint8 pictures without alpha, scaled straight from the decoded ones (area).

        Raises ``FootageError`` where the file is damaged or ends before its header says, unless ``stop`` comes first.
        Closing the iterator stops the decoder.
        """
        if start < 0 or (stop is not None and stop < 0):
            raise ValueError(f"frames are numbered from 0, got {start}:{stop}")
        if self.spec.kind == "sequence":
            return read_sequence(self.spec, start, stop, size)
        if self.spec.kind == "animation":
            return read_animation(self.spec, start, stop, size)

        return read_video(self.spec, start, stop, pts, size, self.damage)

    def close(self) -> None:
        """Nothing is held between two calls of ``frames``."""

    def __enter__(self) -> Footage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_footage(path: str | os.PathLike[str], *, rate: Fraction | None = None, deinterlace: bool = False) -> Footage:
    """Probe and open footage; see ``probe`` for the paths it takes and the errors it raises."""
    return Footage(probe(path, rate=rate, deinterlace=deinterlace))


def timing(path: str | os.PathLike[str]) -> list[int]:
    """Time stamps of all frames, in the footage's ``time_base`` ticks, strictly increasing; its length is the true count.

    Packets are read where their time stamps can be trusted and their number is the header's; else everything is decoded.
    Raises ``FootageError``, also for a file that is damaged.
    """
    spec = probe(path)
    if spec.kind == "sequence":
        return list(range(spec.frames or 0))
    if spec.kind == "animation":
        return animation_pts(spec.path)

    found = video_pts(spec.path)
    if found is not None and spec.frames == len(found):
        return found
    with Footage(spec) as footage:
        return [frame.pts for frame in footage.frames(size=(16, 16))]


def files_of(path: str | os.PathLike[str]) -> list[Path]:
    """All files that make up a piece of footage: the video file, or the pictures in order. Raises ``FootageError``."""
    place = Path(path)
    if place.is_dir() or is_pattern(place):
        return list(find_pictures(place).files)
    if not place.is_file():
        raise FootageError(f"there is no file {show_path(path)}")
    return [place]
