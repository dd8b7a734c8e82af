"""A job in one call."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from os import PathLike
from pathlib import Path, PurePath
from typing import Any, TypeAlias, Unpack, overload

import numpy as np

from restyle.engines import Engine
from restyle.engines.choice import make_engine
from restyle.engines.machine import Budget
from restyle.errors import RecipeError
from restyle.files.remote import Url, place_of
from restyle.files.writing import scratch
from restyle.footage import write_picture
from restyle.footage.arrays import save_arrays
from restyle.job.assembly import Painters
from restyle.job.job import Job
from restyle.job.result import Result
from restyle.job.spread import run_spread
from restyle.painters.base import Painter, check_painter
from restyle.progress import ProgressCallback
from restyle.recipe import Recipe
from restyle.recipe_fields import PlainFields

__all__ = ["Arrays", "CallFields", "restyle"]

Arrays: TypeAlias = "np.ndarray | Iterable[np.ndarray]"
"""Frames that a program holds: H x W x 3 RGB, all alike, uint8 or uint16; or N of them in one array."""

DEPTHS = {np.dtype(np.uint8): ".png", np.dtype(np.uint16): ".png", np.dtype(np.float32): ".exr"}


class CallFields(PlainFields, total=False):
    """The fields of ``Recipe`` as a call takes them: the painter also as an instance, paintings also as arrays."""

    painter: str | Painter
    storyboard: Mapping[int, str | np.ndarray]


@overload
def restyle(
    source: str | PurePath | Arrays,
    output: str | PurePath,
    *,
    recipe: Recipe | str | Path | None = None,
    folder: str | PurePath | None = None,
    fresh: bool = False,
    overwrite: bool = False,
    report: bool = True,
    paint_moments: bool | None = None,
    offline: bool = False,
    rate: Fraction | int | None = None,
    jobs: int | None = 1,
    engine: Engine | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **fields: Unpack[CallFields],
) -> Result: ...


@overload
def restyle(
    source: Arrays,
    output: None = None,
    *,
    recipe: Recipe | str | Path | None = None,
    offline: bool = False,
    rate: Fraction | int | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **fields: Unpack[CallFields],
) -> Iterator[np.ndarray]: ...


def restyle(
    source: str | PurePath | Arrays,
    output: str | PurePath | None = None,
    *,
    recipe: Recipe | str | Path | None = None,
    folder: str | PurePath | None = None,
    fresh: bool = False,
    overwrite: bool = False,
    report: bool = True,
    paint_moments: bool | None = None,
    offline: bool = False,
    rate: Fraction | int | None = None,
    jobs: int | None = 1,
    engine: Engine | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **fields: Unpack[CallFields],
) -> Result | Iterator[np.ndarray]:
    """Restyle footage in one call: ``restyle("in.mp4", "out.mp4", style="winter-ink")``.

    ``source`` may also be frames that the program holds, with their ``rate``: ``restyle(frames, "out.mp4", rate=24)``. Without
    an output the restyled frames are then given back one by one, as arrays like those that came in, and no job is kept:
    ``for frame in restyle(frames, rate=24)``. They are looked at twice, so they are first put on disk, without loss.

    ``fields``: those of ``Recipe``, which come before those of ``recipe`` (a ``Recipe``, or a recipe file's path).
    ``painter`` may also be one that the program made (``restyle.Painter``), which stays open; keyframes of ``storyboard`` also
    arrays, as frames are. The other
    options are those of ``Job``. ``jobs``: processes that work at once on windows of the footage (``None``: as many as the
    machine has room for), for which the program needs the guard ``if __name__ == "__main__":``; ``engine``: another place where
    the work is done (``restyle.engines``). Raises what ``Job.run`` raises; ``FootageError`` for arrays that
    are no frames.
    """
    if isinstance(recipe, Recipe):
        base = recipe.model_dump(exclude_unset=True)
    else:
        base = {} if recipe is None else Recipe.read(recipe)
    whole, painter, paintings = _taken({**base, **fields})
    if painter is not None and (jobs != 1 or engine is not None):
        raise RecipeError("a painter that is given as an instance paints in this process: leave jobs and engine out")
    if output is None:
        if isinstance(source, (str, PathLike)):
            raise RecipeError("an output is needed; only frames that are given as arrays are given back as arrays")
        return _given_back(
            source, whole, painter, paintings, offline=offline, rate=rate, progress=progress, cancel=cancel
        )
    with _footage(source, rate) as (path, rate_of_pictures), _painted(whole, paintings) as recipe_of_files:
        job = Job(
            path,
            output,
            recipe_of_files,
            folder=folder,
            fresh=fresh,
            overwrite=overwrite,
            report=report,
            paint_moments=paint_moments,
            offline=offline,
            rate=rate_of_pictures,
            progress=progress,
            cancel=cancel,
        )
        _lend(job, painter)
        place = engine or (None if jobs == 1 else make_engine(Budget(jobs)))
        return job.run() if place is None else run_spread(job.order, place, progress=progress, cancel=cancel)


def _given_back(
    source: Arrays,
    recipe: Recipe,
    painter: Painter | None,
    paintings: Mapping[int, np.ndarray],
    *,
    offline: bool,
    rate: Fraction | int | None,
    progress: ProgressCallback | None,
    cancel: threading.Event | None,
) -> Iterator[np.ndarray]:
    with _footage(source, rate) as (path, _), _painted(recipe, paintings) as whole:
        job = Job(path, recipe=whole, offline=offline, progress=progress, cancel=cancel)
        _lend(job, painter)
        for frame in job.frames():
            yield frame.result.picture


def _taken(fields: Mapping[str, Any]) -> tuple[Recipe, Painter | None, Mapping[int, np.ndarray]]:
    """The recipe, with names in place of objects; the painter and the paintings that are such. Raises ``RecipeError``."""
    plain, painter, board = dict(fields), fields.get("painter"), fields.get("storyboard")
    if painter is not None and not isinstance(painter, str):
        painter = check_painter(painter, getattr(painter, "name", type(painter).__name__))
        plain["painter"] = painter.name
    else:
        painter = None
    paintings = {}
    if isinstance(board, Mapping):
        paintings = {frame: picture for frame, picture in board.items() if isinstance(picture, np.ndarray)}
        plain["storyboard"] = {
            frame: _name(frame, picture) if frame in paintings else picture for frame, picture in board.items()
        }
    return Recipe.build("restyle()", **plain), painter, paintings


def _name(frame: Any, picture: np.ndarray) -> str:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype not in DEPTHS or not picture.size:
        raise RecipeError(
            f"storyboard: frame {frame} is {' x '.join(map(str, picture.shape))} of {picture.dtype}: "
            "a painting is H x W x 3 in RGB, uint8, uint16 or float32"
        )
    return f"frame.{frame}{DEPTHS[picture.dtype]}"


@contextmanager
def _painted(recipe: Recipe, paintings: Mapping[int, np.ndarray]) -> Iterator[Recipe]:
    """The recipe with paintings in files, which are there within the block."""
    if not paintings:
        yield recipe
        return
    with scratch() as folder:
        board = dict(recipe.storyboard)
        for frame, picture in paintings.items():
            board[frame] = str(folder / board[frame])
            write_picture(board[frame], np.ascontiguousarray(picture))
        yield recipe.model_copy(update={"storyboard": board})


def _lend(job: Job, painter: Painter | None) -> None:
    if painter is not None:
        job.lend(Painters(painter), {})


@contextmanager
def _footage(
    source: str | PurePath | Arrays, rate: Fraction | int | None
) -> Iterator[tuple[Path | Url, Fraction | int | None]]:
    """The place of footage, and its rate if it has none of its own."""
    if isinstance(source, (str, PathLike)):
        yield place_of(source), rate
        return
    if rate is None or rate <= 0:
        raise RecipeError("frames that are given as arrays have no rate: rate=24, or a Fraction, frames a second")
    with scratch() as folder:
        path = folder / "frames.mkv"
        save_arrays(path, source, Fraction(rate))
        yield path, None
