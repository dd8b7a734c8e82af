"""Animated WebP, which FFmpeg does not decode: read by Pillow, frame by frame, with its own timing."""

from __future__ import annotations

import os
from collections.abc import Generator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL.WebPImagePlugin import WebPImageFile

from restyle.errors import FootageError, show_path, why
from restyle.footage.stills import read_facts, upright
from restyle.types import ColourTags, FootageSpec, Frame

__all__ = ["animation_ends", "animation_pts", "probe_animation", "read_animation"]

_TICK = Fraction(1, 1000)


def _durations(path: Path) -> list[int]:
    """Milliseconds that each frame is shown, at least one, from the file's chunks. Raises ``FootageError``."""
    durations: list[int] = []
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            position = file.seek(12)
            while len(head := file.read(8)) == 8:
                size = int.from_bytes(head[4:], "little")
                if position + 8 + size > end:
                    raise FootageError(
                        f"{show_path(path)} is damaged after frame {len(durations) - 1}: it is cut off; copy or export it again"
                    )
                if head[:4] == b"ANMF":
                    durations.append(max(1, int.from_bytes(file.read(15)[12:15], "little")))
                position = file.seek(position + 8 + size + size % 2)
    except OSError as error:
        raise FootageError(f"cannot read {show_path(path)}: {why(error)}") from error
    return durations


def animation_pts(path: str | os.PathLike[str]) -> list[int]:
    """Time stamps of an animation's frames in milliseconds. Raises ``FootageError``."""
    return [0, *accumulate(_durations(Path(path)))][:-1]


def animation_ends(path: str | os.PathLike[str]) -> int:
    """Length of an animation in milliseconds. Raises ``FootageError``."""
    return sum(_durations(Path(path)))


def probe_animation(path: str | os.PathLike[str]) -> FootageSpec:
    """Describe an animated WebP from its chunks. Raises ``FootageError``."""
    facts = read_facts(Path(path))
    durations = _durations(Path(path))
    return FootageSpec(
        path=os.fspath(path),
        kind="animation",
        width=facts.width,
        height=facts.height,
        dtype="uint8",
        bits=8,
        rate=len(durations) / (sum(durations) * _TICK),
        time_base=_TICK,
        frames=len(durations),
        codec="webp",
        pixel_format="rgba" if facts.alpha else "rgb24",
        variable_rate=len(set(durations)) > 1,
        colour=ColourTags(matrix="gbr", range="pc"),
        has_alpha=facts.alpha,
        notes=facts.notes,
    )


def read_animation(
    spec: FootageSpec, start: int, stop: int | None, size: tuple[int, int] | None
) -> Generator[Frame, None, None]:
    """Read the frames ``start`` up to ``stop`` of an animation; each builds on those before it. See ``Footage.frames``."""
    path = Path(spec.path)
    stamps, facts = animation_pts(path), read_facts(path)
    last = len(stamps) if stop is None else min(stop, len(stamps))
    index = start
    try:
        with WebPImageFile(os.fspath(path)) as picture:
            for index in range(start, last):
                picture.seek(index)
                data: Any = np.asarray(picture.convert("RGBA" if spec.has_alpha and not size else "RGB"))
                data = upright(data, facts.orientation)
                if size is not None:
                    yield Frame(index, stamps[index], cv2.resize(data, size, interpolation=cv2.INTER_AREA))
                elif spec.has_alpha:
                    colour, alpha = np.ascontiguousarray(data[..., :3]), np.ascontiguousarray(data[..., 3])
                    yield Frame(index, stamps[index], colour, alpha)
                else:
                    yield Frame(index, stamps[index], data)
    except OSError as error:
        raise FootageError(
            f"{show_path(path)} is damaged after frame {index - 1} ({why(error)}); copy or export it again"
        ) from error
