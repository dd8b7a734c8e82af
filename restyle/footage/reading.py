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
from restyle.footage.video import probe_video, read_video, trusts, video_pts
from restyle.types import FootageSpec, Frame

__all__ = ["Footage", "files_of", "kind_of", "open_footage", "probe", "timing"]

SEQUENCE_RATE = Fraction(24)
"""Frames a second of an image sequence, unless somebody says otherwise: pictures carry no rate."""


def kind_of(path: str | os.PathLike[str]) -> Literal["picture", "sequence", "animation", "video"]:
    """Tell the kind of footage at a path by its content, not its name; a file that is missing, or of no known kind, is a video.

    Raises ``FootageError`` for a damaged picture.
    """
    location = Path(path)
    if location.is_dir() or is_pattern(location):
        return "sequence"
    named = location.suffix.lower() in FORMATS
    if not location.is_file():
        return "video"
    try:
        with open(location, "rb") as file:
            kind = format_of(file.read(16))
    except OSError as error:
        raise FootageError(f"cannot read {show_path(path)}: {why(error)}") from error
    if kind is None:
        return "picture" if named and not _opens_as_video(location) else "video"
    if kind == "jpeg" and not named:
        return "video"  # Motion JPEG is one JPEG after the other
    if read_facts(location).pictures > 1 and kind in ("png", "webp"):
        return "video" if kind == "png" else "animation"  # FFmpeg does not decode animated WebP
    return "picture"


def _opens_as_video(path: Path) -> bool:
    try:
        open_container(path).close()
    except FootageError:
        return False
    return True


def probe(path: str | os.PathLike[str], *, rate: Fraction | None = None, deinterlace: bool = False) -> FootageSpec:
    """Describe a piece of footage from its headers: a video file, an animated picture, a pattern (``shot/frame.%04d.png``), a
    folder of pictures.

    ``rate``: frames a second of an image sequence (24 if not given); a video file has its own, and refuses another.
    ``deinterlace``: hand out whole pictures, made of the two fields of a video's frames, one for each frame.
    Raises ``FootageError`` in one line: missing, unreadable, empty, no video in it, a gap in a sequence, differing sizes.
    """
    location = Path(path)
    kind = kind_of(location)
    if deinterlace and kind != "video":
        raise RecipeError(f"{show_path(path)} holds pictures, not fields; --deinterlace is for video files")
    if kind in ("picture", "sequence"):
        chosen = SEQUENCE_RATE if rate is None else Fraction(rate)
        if chosen <= 0:
            raise RecipeError(f"a frame rate is positive, got {chosen}")
        return probe_sequence(location, chosen)
    spec = probe_animation(location) if kind == "animation" else probe_video(location, deinterlace=deinterlace)
    if rate is not None and Fraction(rate) != spec.rate:
        raise RecipeError(f"{show_path(path)} has its own rate, {spec.rate}; --rate is for image sequences")
    return spec


class Footage:
    """Open footage. A context manager; ``frames()`` may be called again and again, each time decoding anew."""

    def __init__(self, spec: FootageSpec) -> None:
        self.spec = spec
        self.damage = Damage()
        """Damage of a video, as far as passes from the first frame on have shown it."""
        self._trusted: tuple[Sequence[int], bool] | None = None

    def frames(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        pts: Sequence[int] | None = None,
        size: tuple[int, int] | None = None,
        samples: bool = False,
    ) -> Generator[Frame, None, None]:
        """Read the frames ``start`` up to, not including, ``stop`` (the end), in order, upright, RGB, C-contiguous.

        Depth: uint8 for 8-bit sources, uint16 over the full 16 bits for deeper ones, float32 for EXR. YUV is converted by its
        colour tags; untagged, by bt709 from 720 lines on and by bt601 below, limited range.

        ``pts``: the time stamps of the frames from 0 on, found by an earlier pass; with them a late ``start`` seeks to the
        keyframe before it, exact to the frame. Without them decoding begins at the first frame.
        ``size``: (width, height) of small uint8 pictures without alpha, scaled straight from the decoded ones (area).
        ``samples``: also hand out a video's own planes (``Frame.samples``).

        Raises ``FootageError`` where the file is damaged or ends before its header says, unless ``stop`` comes first.
        Closing the iterator stops the decoder.
        """
        if start < 0 or (stop is not None and stop < 0):
            raise ValueError(f"frames are numbered from 0, got {start}:{stop}")
        if self.spec.kind == "sequence":
            return read_sequence(self.spec, start, stop, size)
        if self.spec.kind == "animation":
            return read_animation(self.spec, start, stop, size)
        trusted = start > 0 and pts is not None and self._trusts(pts)
        return read_video(self.spec, start, stop, pts, size, self.damage, samples=samples, trusted=trusted)

    def _trusts(self, pts: Sequence[int]) -> bool:
        """Tell whether frames can be sought by these time stamps: read from the file once, for that takes a second an hour."""
        if self._trusted is None or self._trusted[0] is not pts:
            self._trusted = pts, trusts(self.spec, pts)
        return self._trusted[1]

    def close(self) -> None:
        """Do nothing: nothing is held between two calls of ``frames``."""

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
    """Read all frames' time stamps, in the footage's ``time_base`` ticks, strictly increasing, as many as there are frames.

    Packets are read where their time stamps can be trusted and their number is the header's; else everything is decoded.
    Raises ``FootageError``, also for a file that is damaged.
    """
    spec = probe(path)
    if spec.kind == "sequence":
        return list(range(spec.frames or 0))
    if spec.kind == "animation":
        return animation_pts(spec.path)

    stamps = video_pts(spec.path)
    if stamps is not None and spec.frames == len(stamps):
        return stamps
    with Footage(spec) as footage:
        return [frame.pts for frame in footage.frames(size=(16, 16))]


def files_of(path: str | os.PathLike[str]) -> list[Path]:
    """List all files that make up a piece of footage: the video file, or the pictures in order. Raises ``FootageError``."""
    location = Path(path)
    if location.is_dir() or is_pattern(location):
        return list(find_pictures(location).files)
    if not location.is_file():
        raise FootageError(f"there is no file {show_path(path)}")
    return [location]
