"""Checks of what parts give back, where it comes in.

Painters, fillers, maskers, detectors and interpolators may be anybody's. One that gives a picture of another size or depth, a
frame twice, or none would otherwise end in some library's assertion, or in a wrong film, far from the part that made it. Each
function here stands at the one call of such a part; all raise ``PartError`` that names it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from controls.types import ControlMap, Masked
from interp.errors import InterpError
from interp.types import Filler, Gap, Interpolator, Propagated
from restyle.errors import PainterError, PartError, RestyleError, translated, why
from restyle.painters.base import Painter, PaintRequest, RegionRequest
from restyle.types import Carry

__all__ = [
    "checked_interpolation",
    "checked_map",
    "checked_mattes",
    "checked_paintings",
    "checked_propagation",
    "checked_region",
]


def checked_paintings(painter: Painter, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
    """Call ``painter.paint``: one painting a keyframe, as its picture is, and a carry that can be stored.

    Raises ``PainterError``, and what the painter raises of our own."""
    name = f"painter {painter.name!r}"
    with _failing(f"{name} failed on frames {request.frames[0]} to {request.frames[-1]}", PainterError):
        result = painter.paint(request, carry)
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Carry)):
        raise PainterError(f"{name} gave {_kind(result)}, not paintings and a carry")
    paintings, after = result
    if not isinstance(paintings, Sequence) or len(paintings) != len(request.frames):
        raise PainterError(f"{name} gave {_kind(paintings)} for {len(request.frames)} keyframes")
    for frame, picture, painting in zip(request.frames, request.pictures, paintings, strict=True):
        _require(painting, picture.shape, picture.dtype, f"{name} painted frame {frame} as", PainterError)
    try:
        json.dumps(dict(after.facts), allow_nan=False)
        stored = all(isinstance(array, np.ndarray) and array.dtype != object for array in after.arrays.values())
    except (TypeError, ValueError):
        stored = False
    if not stored:
        raise PainterError(
            f"{name} hands on what cannot be stored: a carry holds arrays of numbers, and plain JSON values"
        )
    return [np.ascontiguousarray(painting) for painting in paintings], after


def checked_region(painter: Painter, request: RegionRequest) -> np.ndarray:
    """Call ``painter.paint_region``: a painting of the region, as its picture is. Raises as ``checked_paintings``."""
    name = f"painter {painter.name!r}"
    left, top, right, bottom = request.box
    with _failing(f"{name} failed on a region", PainterError):
        painting = painter.paint_region(request)
    _require(
        painting, (bottom - top, right - left, 3), request.picture.dtype, f"{name} painted a region as", PainterError
    )
    return np.ascontiguousarray(painting)


def checked_propagation(filler: Filler, gap: Gap) -> Iterator[tuple[int, Propagated]]:
    """Call ``filler.propagate``: each position of ``gap.inner`` with its in-between, as the footage's frames are."""
    name = f"filler {filler.name!r}"
    with translated(), _failing(f"{name} failed"):
        results = iter(filler.propagate(gap))
        for position in gap.inner:
            result = next(results, None)
            if result is None:
                raise PartError(f"{name} gave {position - gap.inner.start} in-betweens for {len(gap.inner)} frames")
            if not isinstance(result, Propagated) or not -1e-3 <= result.coverage <= 1 + 1e-3:
                raise PartError(f"{name} gave {_kind(result)}, not an in-between with a coverage from 0 to 1")
            frame = gap.frames[position]
            _require(result.picture, frame.shape, frame.dtype, f"{name} made an in-between that is")
            yield position, Propagated(np.ascontiguousarray(result.picture), result.coverage)
        if next(results, None) is not None:
            raise PartError(f"{name} gave more in-betweens than the {len(gap.inner)} that are wanted")


def checked_interpolation(
    interpolator: Interpolator, a: np.ndarray, b: np.ndarray, times: Sequence[float]
) -> Iterator[np.ndarray]:
    """Call ``interpolator.interpolate``: a picture for each of ``times``, as ``a`` is."""
    name = f"interpolator {interpolator.name!r}"
    with translated(), _failing(f"{name} failed"):
        pictures = iter(interpolator.interpolate(a, b, times))
        for number in range(len(times)):
            picture = next(pictures, None)
            if picture is None:
                raise PartError(f"{name} gave {number} pictures for {len(times)} times")
            _require(picture, a.shape, a.dtype, f"{name} drew a picture that is")
            yield np.ascontiguousarray(picture)


def checked_mattes(
    masker: str, results: Iterable[Masked], names: Collection[str], size: tuple[int, int], frames: int
) -> Iterator[Masked]:
    """Check what a masker gives of a shot of so many ``frames`` of ``size`` (width, height): each frame once, with mattes of
    ``names``. What the masker raises of its own is its own."""
    missing = set(range(frames))
    for masked in results:
        if not isinstance(masked, Masked):
            raise PartError(f"masker {masker!r} gave {_kind(masked)}, not one frame's mattes")
        if masked.frame not in missing:
            raise PartError(
                f"masker {masker!r} gave frame {masked.frame} of a shot of {frames} twice, or beyond its end"
            )
        missing.remove(masked.frame)
        for name, matte in masked.mattes.items():
            if name not in names:
                raise PartError(f"masker {masker!r} gave a matte of {name!r}, which it was not asked for")
            _require(matte, size[::-1], np.dtype(np.float32), f"masker {masker!r} gave a matte of {name!r} that is")
            if not (matte.min() >= 0 and matte.max() <= 1):
                raise PartError(f"masker {masker!r} gave a matte of {name!r} with values outside of 0 to 1")
        yield masked
    if missing:
        raise PartError(f"masker {masker!r} gave nothing for frame {min(missing)} of a shot of {frames}")


def checked_map(detector: Any, *pictures: np.ndarray, **options: Any) -> ControlMap:
    """Call ``detector.detect`` for one picture, or ``detect_pair`` for two: a map of the picture's size. Raises what it raises
    of ``interp.errors``, too."""
    name = f"control map {detector.traits.name!r}"
    with _failing(f"{name} failed"):
        result = detector.detect(*pictures) if len(pictures) == 1 else detector.detect_pair(*pictures, **options)
    if not isinstance(result, ControlMap):
        raise PartError(f"{name} gave {_kind(result)}, not a map")
    shape = pictures[0].shape[:2]
    _require(result.picture, (*shape, 3), np.dtype(np.uint8), f"{name} gave a map that is")
    if result.values is not None and result.values.shape[:2] != shape:
        raise PartError(f"{name} gave values that are {_kind(result.values)}, of a picture of {shape[0]} x {shape[1]}")
    return result


@contextmanager
def _failing(what: str, kind: type[PartError] = PartError) -> Iterator[None]:
    """Say what a part raises in one line. What is the process's own matter, or one line already, passes."""
    try:
        yield
    except (RestyleError, InterpError, MemoryError):
        raise
    except Exception as error:
        raise kind(f"{what}: {why(error)}") from error


def _require(array: Any, shape: tuple[int, ...], dtype: np.dtype, what: str, kind: type[PartError] = PartError) -> None:
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        raise kind(f"{what} {_kind(array)}, where {' x '.join(map(str, shape))} of {dtype} is wanted")


def _kind(result: Any) -> str:
    """Describe in a few words what a part gave."""
    if isinstance(result, np.ndarray):
        return f"{' x '.join(map(str, result.shape)) or 'a number'} of {result.dtype}"
    if isinstance(result, Sequence) and not isinstance(result, (str, bytes)):
        return f"{len(result)} things"
    return f"a {type(result).__name__}"
