"""What parts give back, looked at where it comes in.

Painters, fillers, maskers, detectors and interpolators may be anybody's. One that gives a picture of another size or depth, a
frame twice, or none would otherwise end in some library's assertion, or in a wrong film, far from who made it. Each function
here stands at the one place where such a part is called; all raise ``PartError`` that names it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from interp.errors import InterpError
from interp.types import Filler, Gap, Interpolator, Propagated
from restyle.errors import PainterError, PartError, RestyleError, translated, why
from restyle.painters.base import Painter, PaintRequest
from restyle.types import Carry

if TYPE_CHECKING:
    from controls.types import ControlMap, Masked

__all__ = ["detected", "drawn", "filled", "masked", "painted"]


def painted(painter: Painter, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
    """``painter.paint``: one painting a keyframe, as its picture is, and a carry that can be stored. Raises ``PainterError``,
    and what the painter raises of our own."""
    who = f"painter {painter.name!r}"
    with _failing(f"{who} failed on frames {request.frames[0]} to {request.frames[-1]}", PainterError):
        made = painter.paint(request, carry)
    if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[1], Carry)):
        raise PainterError(f"{who} gave {_kind(made)}, not paintings and a carry")
    paintings, after = made
    if not isinstance(paintings, Sequence) or len(paintings) != len(request.frames):
        raise PainterError(f"{who} gave {_kind(paintings)} for {len(request.frames)} keyframes")
    for frame, picture, painting in zip(request.frames, request.pictures, paintings, strict=True):
        _require(painting, picture.shape, picture.dtype, f"{who} painted frame {frame} as", PainterError)
    try:
        json.dumps(dict(after.facts), allow_nan=False)
        stored = all(isinstance(array, np.ndarray) and array.dtype != object for array in after.arrays.values())
    except (TypeError, ValueError):
        stored = False
    if not stored:
        raise PainterError(
            f"{who} hands on what cannot be stored: a carry holds arrays of numbers, and plain JSON values"
        )
    return [np.ascontiguousarray(painting) for painting in paintings], after


def filled(filler: Filler, gap: Gap) -> Iterator[tuple[int, Propagated]]:
    """``filler.propagate``: each position of ``gap.inner`` with its in-between, as the footage's frames are."""
    who = f"filler {filler.name!r}"
    with translated(), _failing(f"{who} failed"):
        made = iter(filler.propagate(gap))
        for place in gap.inner:
            one = next(made, None)
            if one is None:
                raise PartError(f"{who} gave {place - gap.inner.start} in-betweens for {len(gap.inner)} frames")
            if not isinstance(one, Propagated) or not -1e-3 <= one.coverage <= 1 + 1e-3:
                raise PartError(f"{who} gave {_kind(one)}, not an in-between with a coverage from 0 to 1")
            _require(one.picture, gap.frames[place].shape, gap.frames[place].dtype, f"{who} made an in-between that is")
            yield place, Propagated(np.ascontiguousarray(one.picture), one.coverage)
        if next(made, None) is not None:
            raise PartError(f"{who} gave more in-betweens than the {len(gap.inner)} that are wanted")


def drawn(interpolator: Interpolator, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
    """``interpolator.interpolate``: a picture for each of ``times``, as ``a`` is."""
    who = f"interpolator {interpolator.name!r}"
    with translated(), _failing(f"{who} failed"):
        made = iter(interpolator.interpolate(a, b, times))
        for number in range(len(times)):
            picture = next(made, None)
            if picture is None:
                raise PartError(f"{who} gave {number} pictures for {len(times)} times")
            _require(picture, a.shape, a.dtype, f"{who} drew a picture that is")
            yield np.ascontiguousarray(picture)


def masked(
    who: str, found: Iterable[Masked], names: Collection[str], size: tuple[int, int], frames: int
) -> Iterator[Masked]:
    """What a masker gives of a shot of so many ``frames`` of ``size`` (width, height): each frame once, with mattes of
    ``names``. What it raises of its own is its own."""
    from controls.types import Masked

    missing = set(range(frames))
    for one in found:
        if not isinstance(one, Masked):
            raise PartError(f"masker {who!r} gave {_kind(one)}, not one frame's mattes")
        if one.frame not in missing:
            raise PartError(f"masker {who!r} gave frame {one.frame} of a shot of {frames} twice, or beyond its end")
        missing.remove(one.frame)
        for name, matte in one.mattes.items():
            if name not in names:
                raise PartError(f"masker {who!r} gave a matte of {name!r}, which it was not asked for")
            _require(matte, size[::-1], np.dtype(np.float32), f"masker {who!r} gave a matte of {name!r} that is")
            if not (matte.min() >= 0 and matte.max() <= 1):
                raise PartError(f"masker {who!r} gave a matte of {name!r} with values outside of 0 to 1")
        yield one
    if missing:
        raise PartError(f"masker {who!r} gave nothing for frame {min(missing)} of a shot of {frames}")


def detected(detector: Any, *pictures: np.ndarray, **options: Any) -> ControlMap:
    """``detector.detect`` of one picture, or ``detect_pair`` of two: a map of the picture's size. Raises what it raises of
    ``controls.errors``, too."""
    from controls.types import ControlMap

    who = f"control map {detector.facts.name!r}"
    with _failing(f"{who} failed"):
        made = detector.detect(*pictures) if len(pictures) == 1 else detector.detect_pair(*pictures, **options)
    if not isinstance(made, ControlMap):
        raise PartError(f"{who} gave {_kind(made)}, not a map")
    shape = pictures[0].shape[:2]
    _require(made.picture, (*shape, 3), np.dtype(np.uint8), f"{who} gave a map that is")
    if made.values is not None and made.values.shape[:2] != shape:
        raise PartError(f"{who} gave values that are {_kind(made.values)}, of a picture of {shape[0]} x {shape[1]}")
    return made


@contextmanager
def _failing(what: str, kind: type[PartError] = PartError) -> Iterator[None]:
    """Whatever a part raises, in one line. What is the process's own matter, or said in one line already, passes."""
    try:
        yield
    except (RestyleError, InterpError, MemoryError):
        raise
    except Exception as error:
        raise kind(f"{what}: {why(error)}") from error


def _require(array: Any, shape: tuple[int, ...], dtype: np.dtype, what: str, kind: type[PartError] = PartError) -> None:
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        raise kind(f"{what} {_kind(array)}, where {' x '.join(map(str, shape))} of {dtype} is wanted")


def _kind(made: Any) -> str:
    """A few words on what somebody gave."""
    if isinstance(made, np.ndarray):
        return f"{' x '.join(map(str, made.shape)) or 'a number'} of {made.dtype}"
    if isinstance(made, Sequence) and not isinstance(made, (str, bytes)):
        return f"{len(made)} things"
    return f"a {type(made).__name__}"
