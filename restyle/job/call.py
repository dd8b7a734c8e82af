"""A job in one call."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path
from typing import Unpack

from restyle.job.job import Job
from restyle.job.result import Result
from restyle.progress import ProgressCallback
from restyle.recipe import Recipe
from restyle.recipe_fields import RecipeFields

__all__ = ["restyle"]


def restyle(
    source: str | Path,
    output: str | Path,
    *,
    recipe: Recipe | str | Path | None = None,
    folder: str | Path | None = None,
    fresh: bool = False,
    overwrite: bool = False,
    report: bool = True,
    paint_moments: bool | None = None,
    offline: bool = False,
    rate: Fraction | int | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **fields: Unpack[RecipeFields],
) -> Result:
    """Restyle footage in one call: ``restyle("in.mp4", "out.mp4", style="winter-ink")``.

    ``fields``: those of ``Recipe``, which come before those of ``recipe`` (a ``Recipe``, or a recipe file's path). The other
    options are those of ``Job``. Raises what ``Job.run`` raises.
    """
    if isinstance(recipe, Recipe):
        base = recipe.model_dump(exclude_unset=True)
    else:
        base = {} if recipe is None else Recipe.read(recipe)
    job = Job(
        source,
        output,
        Recipe.build("restyle()", **{**base, **fields}),
        folder=folder,
        fresh=fresh,
        overwrite=overwrite,
        report=report,
        paint_moments=paint_moments,
        offline=offline,
        rate=rate,
        progress=progress,
        cancel=cancel,
    )
    return job.run()
