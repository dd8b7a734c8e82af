"""A job in one call."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from os import PathLike
from pathlib import Path, PurePath
from typing import TypeAlias, Unpack, overload

import numpy as np

from restyle.engines import Engine
from restyle.engines.choice import make_engine
from restyle.engines.machine import Budget
from restyle.errors import RecipeError
from restyle.files.remote import Url, place_of
from restyle.files.writing import scratch
from restyle.footage.arrays import save_arrays
from restyle.job.job import Job
from restyle.job.result import Result
from restyle.job.spread import run_spread
from restyle.progress import ProgressCallback
from restyle.recipe import Recipe
from restyle.recipe_fields import RecipeFields

__all__ = ["Arrays", "restyle"]

Arrays: TypeAlias = "np.ndarray | Iterable[np.ndarray]"
"""Frames that a program holds: H x W x 3 RGB, all alike, uint8 or uint16; or N of them in one array."""


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
    **fields: Unpack[RecipeFields],
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
    **fields: Unpack[RecipeFields],
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
    **fields: Unpack[RecipeFields],
) -> Result | Iterator[np.ndarray]:
    """Restyle footage in one call: ``restyle("in.mp4", "out.mp4", style="winter-ink")``.

    ``source`` may also be frames that the program holds, with their ``rate``: ``restyle(frames, "out.mp4", rate=24)``. Without
    an output the restyled frames are then given back one by one, as arrays like those that came in, and no job is kept:
    ``for frame in restyle(frames, rate=24)``. They are looked at twice, so they are first put on disk, without loss.

    ``fields``: those of ``Recipe``, which come before those of ``recipe`` (a ``Recipe``, or a recipe file's path). The other
    options are those of ``Job``. ``jobs``: processes that work at once on windows of the footage (``None``: as many as the
    machine has room for), for which the program needs the guard ``if __name__ == "__main__":``; ``engine``: another place where
    the work is done (``restyle.engines``). Raises what ``Job.run`` raises; ``FootageError`` for arrays that
    are no frames.
    """
    if isinstance(recipe, Recipe):
        base = recipe.model_dump(exclude_unset=True)
    else:
        base = {} if recipe is None else Recipe.read(recipe)
    whole = Recipe.build("restyle()", **{**base, **fields})
    if output is None:
        if isinstance(source, (str, PathLike)):
            raise RecipeError("an output is needed; only frames that are given as arrays are given back as arrays")
        return _given_back(source, whole, offline=offline, rate=rate, progress=progress, cancel=cancel)
    with _footage(source, rate) as (path, rate_of_pictures):
        job = Job(
            path,
            output,
            whole,
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
        place = engine or (None if jobs == 1 else make_engine(Budget(jobs)))
        return job.run() if place is None else run_spread(job.order, place, progress=progress, cancel=cancel)


def _given_back(
    source: Arrays,
    recipe: Recipe,
    *,
    offline: bool,
    rate: Fraction | int | None,
    progress: ProgressCallback | None,
    cancel: threading.Event | None,
) -> Iterator[np.ndarray]:
    with _footage(source, rate) as (path, _):
        for frame in Job(path, recipe=recipe, offline=offline, progress=progress, cancel=cancel).frames():
            yield frame.result.picture


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
