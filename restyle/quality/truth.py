"""Truth of rendered footage: its motion, its distances and what is seen, read from a folder.

A folder holds ``facts.json`` and ``shot0.npz``, ``shot1.npz`` ...; ``samples/README.md`` says what is in them. Truth is kept
on a coarser grid than the clip's pixels: each of its points is one ray through one place of the picture, never an average over
an edge.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from interp.regular import require_regular
from restyle.errors import RecipeError, show_path, why
from restyle.files.document import read_document

__all__ = ["Truth", "pack_plane", "read_truth", "unpack_plane"]

VERSION = 1
LARGEST = 1 << 30  # bytes of one shot's file


@dataclass(frozen=True, eq=False)
class Truth:
    """All that is known of every frame of a clip. Frames count from 0 through the whole clip.

    Truth point (i, j), column i and row j of an h x w grid, looks through the place ``positions[j, i]`` of the picture:
    with ``s = size[0] / w`` that is ``(s * (i + 0.5) - 0.5, s * (j + 0.5) - 0.5)``, in coordinates where whole numbers
    are pixel centres. So a clip shrunk to w x h by averaging (OpenCV's ``INTER_AREA``) lies on the grid pixel by pixel,
    and its flow there is ``flow / s``.
    """

    size: tuple[int, int]
    """Width and height of the clip, pixels."""
    grid: tuple[int, int]
    """Width and height (w, h) of the truth grid."""
    rate: Fraction
    """Frames a second."""
    frames: int
    cuts: tuple[int, ...]
    """Numbers of the frames that begin a new shot; 0 is not among them."""
    objects: Mapping[str, int]
    """Names of the objects that have mattes, and their numbers in ``labels``."""
    mirrors: tuple[str, ...]
    """Names of those that mirror others: what is seen in them moves otherwise than they do."""
    flow_steps: int
    """Steps in which flow is kept, a pixel of the clip: its rounding error is at most ``0.5 / flow_steps``."""
    _planes: tuple[Mapping[str, np.ndarray], ...]

    @property
    def shots(self) -> tuple[tuple[int, int], ...]:
        """(first, end) of every shot; the end is not part of it."""
        edges = (0, *self.cuts, self.frames)
        return tuple(pairwise(edges))

    @property
    def positions(self) -> np.ndarray:
        """float32 h x w x 2: where in the clip's picture (x, y) each truth point looks."""
        w, h = self.grid
        s = self.size[0] / w
        x, y = np.meshgrid((np.arange(w) + 0.5) * s - 0.5, (np.arange(h) + 0.5) * s - 0.5)
        return np.stack([x, y], -1).astype(np.float32)

    def _find(self, t: int) -> tuple[Mapping[str, np.ndarray], int, int]:
        for planes, (first, end) in zip(self._planes, self.shots, strict=True):
            if first <= t < end:
                return planes, t - first, end - first
        raise ValueError(f"the clip has frames 0 to {self.frames - 1}, got {t}")

    def flow_forward(self, t: int) -> np.ndarray:
        """Motion from frame t to t + 1: float32 h x w x 2 (dx, dy), pixels of the clip.

        It is the motion of the surface seen, whether or not it is still seen in t + 1; the sky's too. Reflections on
        the water move otherwise. Raises ``ValueError`` for the last frame of a shot.
        """
        planes, k, count = self._find(t)
        if k == count - 1:
            raise ValueError(f"frame {t} is the last of its shot: nothing of it is in frame {t + 1}")
        return planes["forward"][k].astype(np.float32) / self.flow_steps

    def flow_backward(self, t: int) -> np.ndarray:
        """Motion from frame t to t - 1: float32 h x w x 2 (dx, dy), pixels of the clip.

        Raises ``ValueError`` for the first frame of a shot.
        """
        planes, k, _ = self._find(t)
        if k == 0:
            raise ValueError(f"frame {t} is the first of its shot: nothing of it is in frame {t - 1}")
        return planes["backward"][k].astype(np.float32) / self.flow_steps

    def depth(self, t: int) -> np.ndarray:
        """Distance from the camera along its axis: float32 h x w, metres, good to 1 in 2048. The sky is some 6000 m away."""
        planes, k, _ = self._find(t)
        return planes["depth"][k].astype(np.float32)

    def labels(self, t: int) -> np.ndarray:
        """Objects that the points see: uint8 h x w, the numbers of ``objects``; 0 is none of them."""
        planes, k, _ = self._find(t)
        return planes["mattes"][k]

    def matte(self, name: str, t: int) -> np.ndarray:
        """One object's matte: float32 h x w, 1 where it is seen, else 0. Raises ``ValueError`` for an unknown name."""
        if name not in self.objects:
            raise ValueError(f"no object {name!r}; there are: {', '.join(self.objects)}")
        return (self.labels(t) == self.objects[name]).astype(np.float32)

    def seen_ahead(self, t: int) -> np.ndarray:
        """Points of frame t that are still seen in t + 1: bool h x w.

        They land inside the picture, and the nearest truth point there comes from within one grid step of them and is
        as far from the camera, to 5 %.
        """
        w, h = self.grid
        s = self.size[0] / w
        flow = self.flow_forward(t) / s
        x, y = np.meshgrid(np.arange(w), np.arange(h))
        to_x, to_y = np.rint(x + flow[..., 0]).astype(int), np.rint(y + flow[..., 1]).astype(int)
        inside = (to_x >= 0) & (to_x < w) & (to_y >= 0) & (to_y < h)
        to_x, to_y = np.clip(to_x, 0, w - 1), np.clip(to_y, 0, h - 1)
        loop = flow + self.flow_backward(t + 1)[to_y, to_x] / s
        near, there = self.depth(t), self.depth(t + 1)[to_y, to_x]
        return inside & (np.hypot(loop[..., 0], loop[..., 1]) < 1) & (np.abs(there - near) < 0.05 * near)

    def mirrored(self, t: int) -> np.ndarray:
        """Points that see a surface that mirrors others: bool h x w. Motion there is not what is seen to move."""
        return np.isin(self.labels(t), [self.objects[name] for name in self.mirrors])


def read_truth(folder: str | Path) -> Truth:
    """Read a folder of truth: about a second and 40 MB a clip of some seconds.

    Raises ``RecipeError``, one line that names the file, for what is missing, damaged, or of a version that is not known.
    """
    folder = Path(folder)
    facts = read_document(folder / "facts.json", "facts")
    if facts.get("version") != VERSION:
        raise RecipeError(
            f"{show_path(folder)} holds truth of version {facts.get('version')}, this release knows {VERSION}"
        )
    try:
        planes = tuple(_read_shot(folder / f"shot{number}.npz") for number in range(len(facts["cuts"]) + 1))
        return _truth(facts, planes)
    except (KeyError, TypeError, ValueError) as error:
        raise RecipeError(f"{show_path(folder)} holds no usable truth: {why(error)}") from error


def _truth(facts: Mapping[str, Any], planes: tuple[Mapping[str, np.ndarray], ...]) -> Truth:
    truth = Truth(
        size=tuple(facts["size"]),
        grid=tuple(facts["grid"]),
        rate=Fraction(facts["rate"]),
        frames=facts["frames"],
        cuts=tuple(facts["cuts"]),
        objects=facts["objects"],
        mirrors=tuple(facts.get("mirrors", ())),
        flow_steps=facts["flow_steps"],
        _planes=planes,
    )
    for (first, end), shot in zip(truth.shots, planes, strict=True):
        wanted = (end - first, truth.grid[1], truth.grid[0])
        for name, plane in shot.items():
            if plane.shape[:3] != wanted:
                raise ValueError(f"{name} of the shot from frame {first} is {plane.shape[:3]}, not {wanted}")
    if not set(truth.mirrors) <= set(truth.objects):
        raise ValueError(f"mirrors {truth.mirrors} are not all among the objects")
    return truth


def _read_shot(path: Path) -> dict[str, np.ndarray]:
    try:
        require_regular(path, largest=LARGEST)
        with np.load(path, allow_pickle=False) as kept:
            forward = unpack_plane(kept["forward"]).view(np.int16)
            turn = unpack_plane(kept["turn"]).view(np.int16)
            depth = unpack_plane(kept["depth"]).view(np.float16)
            # Backward flow is nearly the forward flow's mirror: what is kept is the small difference.
            return {"forward": forward, "backward": turn - forward, "depth": depth, "mattes": kept["mattes"]}
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise RecipeError(f"cannot read truth in {show_path(path)}: {why(error)}") from error


def pack_plane(values: np.ndarray) -> np.ndarray:
    """Rows of 16-bit values as byte planes of zig-zag differences, which deflate well. Lossless.

    ``values``: any 16-bit dtype, frames x h x w or frames x h x w x channels. Gives uint8 2 x frames x channels x h x w.
    """
    bits = values.view(np.uint16)
    bits = bits[:, None] if bits.ndim == 3 else np.moveaxis(bits, 3, 1)
    step = np.diff(bits, axis=-1, prepend=np.uint16(0))
    step = (step << 1) ^ np.where(step >> 15, 0xFFFF, 0).astype(np.uint16)
    return np.stack([step & 255, step >> 8]).astype(np.uint8)


def unpack_plane(packed: np.ndarray) -> np.ndarray:
    """Give back the values that ``pack_plane`` got, as uint16 frames x h x w (one channel) or frames x h x w x channels."""
    step = packed[0] | packed[1].astype(np.uint16) << 8
    step = (step >> 1) ^ np.where(step & 1, 0xFFFF, 0).astype(np.uint16)
    bits = np.cumsum(step, axis=-1, dtype=np.uint16)
    return np.ascontiguousarray(bits[:, 0] if bits.shape[1] == 1 else np.moveaxis(bits, 1, 3))
