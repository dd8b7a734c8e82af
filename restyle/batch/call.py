"""A batch in one call."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Unpack

from restyle.batch.batch import Batch
from restyle.batch.results import BatchProgressCallback, ClipResult
from restyle.engines import Engine
from restyle.engines.machine import Budget
from restyle.recipe import Recipe
from restyle.recipe_fields import RecipeFields

__all__ = ["batch"]


def batch(
    sources: str | PurePath | Sequence[str | PurePath],
    output: str | PurePath,
    *,
    recipe: Recipe | str | Path | None = None,
    template: str | None = None,
    rate: Fraction | int | None = None,
    overwrite: bool = False,
    report: bool = True,
    offline: bool = False,
    match_first: bool = False,
    watch: bool = False,
    jobs: int | None = 1,
    threads: int | None = None,
    memory: int | None = None,
    gpus: float | None = None,
    cache: int | None = None,
    engine: Engine | None = None,
    progress: BatchProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **fields: Unpack[RecipeFields],
) -> Iterator[ClipResult]:
    """Restyle many clips: ``for clip in restyle.batch("footage", "restyled", style="winter-ink"): print(clip.output)``.

    Gives each clip's end as it comes; nothing is done before the first is asked for, and closing the iterator stops the work.
    ``sources``: one or several folders, patterns, clips or manifests. ``fields``: those of ``Recipe``, which come before those
    of ``recipe``. ``jobs``, ``threads``, ``memory`` (bytes), ``gpus``: see ``Budget``; with more than one job, or ``None``
    (what fits), a pool of processes works, and the program needs the guard ``if __name__ == "__main__":``; one works here. The
    other options are those of ``Batch``.
    Raises ``RecipeError``, ``OutputError`` here, and what ``Batch.results`` raises when it is iterated over.
    """
    if isinstance(recipe, Recipe):
        base = recipe.model_dump(exclude_unset=True)
    else:
        base = {} if recipe is None else Recipe.read(recipe)
    work = Batch(
        [sources] if isinstance(sources, (str, PurePath)) else sources,
        output,
        {**base, **fields},
        template=template,
        rate=rate,
        overwrite=overwrite,
        report=report,
        offline=offline,
        match_first=match_first,
        watch=watch,
        budget=Budget(jobs, threads, memory, gpus),
        cache=cache,
        engine=engine,
        progress=progress,
        cancel=cancel,
    )
    return work.results()
