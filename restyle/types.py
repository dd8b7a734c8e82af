"""The values that the engine hands around. Frozen, and checked when built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Carry", "ColourTags", "FootageSpec", "Frame", "Hdr10", "Keyframe", "Shot", "TextPrompt", "Window"]

Depth = Literal["uint8", "uint16", "float32"]


@dataclass(frozen=True)
class ColourTags:
    """Mapping of code values to light: the names that FFmpeg prints (``bt709``, ``smpte2084`` ...), ``None`` = untagged.

    ``range`` is ``"tv"`` (limited), ``"pc"`` (full) or ``None``.
    """

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    range: str | None = None


@dataclass(frozen=True)
class Hdr10:
    """HDR10's static metadata: the display that the footage was graded on, and how bright the footage gets."""

    display: tuple[Fraction, ...] | None = None
    """x and y of red, green, blue and white, least and most luminance in cd/m2 (SMPTE ST 2086): ten numbers."""
    light: tuple[int, int] | None = None
    """The brightest pixel, and the brightest frame's average, in cd/m2 (CTA-861.3: MaxCLL, MaxFALL)."""

    def __post_init__(self) -> None:
        if self.display is not None and len(self.display) != 10:
            raise ValueError(f"a mastering display is told by ten numbers, got {len(self.display)}")


@dataclass(frozen=True)
class FootageSpec:
    """Facts of one piece of footage. Sizes are those of the upright picture, in pixels."""

    path: str
    """The file, the sequence pattern (``shot/frame.%04d.png``) or the folder, as it was given."""
    kind: Literal["video", "animation", "sequence"]
    """``animation``: an animated picture in one file, with its own timing, that is not read as a video."""
    width: int
    """Width of the picture after the rotation tag is applied."""
    height: int
    dtype: Depth
    """Depth in which pictures are handed out: uint8, uint16 (10 to 16 bit sources, scaled to the full 16 bits), float32."""
    bits: int
    """Bits a channel in the file: 8, 10, 12, 16 or 32."""
    rate: Fraction
    """Frames a second; the average, where the rate varies."""
    time_base: Fraction
    """Seconds a tick of ``pts``."""
    frames: int | None
    """Number of frames as the header tells it, or ``None``. Only decoding tells the truth: see ``footage.timing``."""
    codec: str
    """FFmpeg's decoder name (``h264``), or the picture format of a sequence (``png``)."""
    pixel_format: str
    variable_rate: bool = False
    pixel_aspect: Fraction = Fraction(1)
    rotation: int = 0
    """Degrees counter-clockwise by which the stored picture is turned for display: 0, 90, 180 or 270."""
    mirrored: bool = False
    """True if the stored picture is mirrored left to right for display, before it is turned."""
    display_matrix: tuple[int, ...] | None = None
    """The matrix that says both, nine numbers as the file has them."""
    field_order: Literal["progressive", "top", "bottom"] = "progressive"
    """Field of a frame's two that is shown first, in interlaced footage."""
    deinterlaced: bool = False
    """True if whole pictures are made of the two fields of each frame."""
    colour: ColourTags = field(default_factory=ColourTags)
    hdr10: Hdr10 | None = None
    timecode: str | None = None
    audio_streams: int = 0
    has_alpha: bool = False
    first_number: int = 0
    """Number of the first picture of a sequence."""
    headers: bool = False
    """True if an EXR made of one of its pictures repeats what that one's header says: windows, time code, primaries."""
    notes: tuple[str, ...] = ()
    """Remarks for a person about the footage, before anything is done to it, one line each."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a picture is at least 1x1, got {self.width}x{self.height}")
        if self.rate <= 0 or self.time_base <= 0:
            raise ValueError(f"rate and time base are positive, got {self.rate} and {self.time_base}")
        if self.rotation not in (0, 90, 180, 270):
            raise ValueError(f"rotation is 0, 90, 180 or 270, got {self.rotation}")

    @property
    def picture_bytes(self) -> int:
        """Bytes of one frame in memory."""
        return self.width * self.height * 3 * {"uint8": 1, "uint16": 2, "float32": 4}[self.dtype]


@dataclass(frozen=True)
class Frame:
    """One picture of the footage, with its time."""

    index: int
    """Number of the frame in the footage, from 0."""
    pts: int
    """Presentation time in the footage's ``time_base`` ticks (a sequence: the index)."""
    picture: np.ndarray
    """C-contiguous H x W x 3, RGB, uint8, uint16 or float32."""
    alpha: np.ndarray | None = None
    """H x W, in the picture's own dtype, when the source carries one."""
    samples: tuple[np.ndarray, ...] = ()
    """The decoded frame's own planes (Y, U, V) as the file stores them, not turned and not converted, where they were asked for
    and the footage is planar YUV."""

    def __post_init__(self) -> None:
        p = self.picture
        if p.ndim != 3 or p.shape[2] != 3 or str(p.dtype) not in ("uint8", "uint16", "float32"):
            raise ValueError(f"a picture is H x W x 3 of uint8, uint16 or float32, got {p.shape} of {p.dtype}")
        if self.alpha is not None and self.alpha.shape != p.shape[:2]:
            raise ValueError(f"alpha is {p.shape[0]} x {p.shape[1]} like its picture, got {self.alpha.shape}")


@dataclass(frozen=True)
class Shot:
    """Frames ``start`` up to, not including, ``stop``, taken by the camera in one go."""

    index: int
    start: int
    stop: int
    begins: Literal["start", "cut", "fade", "flash", "given"] = "cut"
    """Reason for which a shot begins here."""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"a shot holds at least one frame, got {self.start}:{self.stop}")

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Keyframe:
    """A frame that is painted, not filled."""

    frame: int
    reason: Literal["start", "coverage", "max-gap", "pinned", "every", "storyboard", "repair", "end"]
    """Reason for which it is one: the shot starts here; its neighbours explain too little; a person asked for it; ..."""
    picture: Path | None = None
    """A painting made by hand ("storyboard"), used as it is."""


@dataclass(frozen=True)
class Window:
    """The unit of work: keyframes of one shot, and the frames ``start`` up to, not including, ``stop``.

    Neighbouring windows of a shot share their boundary keyframe: it is the last of ``keys`` in the one
    (``keys[-1].frame == stop``, needed but not rendered there) and the first of the next (``keys[0].frame == start``).
    Where a painter makes every frame, they may share more: those from ``stop`` on.
    """

    shot: int
    index: int
    """Number of the window within its shot."""
    start: int
    stop: int
    keys: tuple[Keyframe, ...]

    def __post_init__(self) -> None:
        frames = [k.frame for k in self.keys]
        if not frames or frames != sorted(set(frames)):
            raise ValueError(f"a window has ascending keyframes, at least one, got {frames}")
        shared = [frame for frame in frames if frame >= self.stop]
        outside = frames[0] < self.start or shared != [*range(self.stop, self.stop + len(shared))]
        if not self.start < self.stop or outside:
            raise ValueError(f"keyframes {frames} lie outside of the window {self.start}:{self.stop}")

    @property
    def last(self) -> int:
        """Last frame that has to be read: the shared boundary keyframe, or the last one rendered."""
        return max(self.stop - 1, self.keys[-1].frame)


@dataclass(frozen=True)
class Carry:
    """State that one window's painting hands to the next; reset at every cut. Stored as ``.npz``, so nothing else fits in."""

    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values."""


@dataclass(frozen=True)
class TextPrompt:
    """A prompt and a negative prompt, for painters that read them."""

    prompt: str = ""
    negative_prompt: str = ""
