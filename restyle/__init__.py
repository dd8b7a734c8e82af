"""restyle: repaint footage in a new look, frame for frame.

>>> import restyle
>>> restyle.restyle("in.mp4", "out.mp4", style="winter-ink")  # doctest: +SKIP

The names below are the public API; each is loaded when it is first asked for.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from restyle.errors import (
        Cancelled,
        FootageError,
        JobError,
        JobLockedError,
        MissingExtraError,
        MissingModelError,
        OutputError,
        OutputExistsError,
        OutputLockedError,
        PainterError,
        PartError,
        RecipeError,
        RestyleError,
        UnknownPartError,
    )
    from restyle.job.job import Job, Result, restyle
    from restyle.planning.plan import Plan
    from restyle.progress import Progress
    from restyle.recipe import Control, Layer, PromptAt, Recipe
    from restyle.retiming.retimer import Retiming, retime
    from restyle.types import Carry, FootageSpec, Frame, Keyframe, Shot, TextPrompt, Window

__version__ = "0.1.0"

__all__ = [
    "Cancelled",
    "Carry",
    "Control",
    "FootageError",
    "FootageSpec",
    "Frame",
    "Job",
    "JobError",
    "JobLockedError",
    "Keyframe",
    "Layer",
    "MissingExtraError",
    "MissingModelError",
    "OutputError",
    "OutputExistsError",
    "OutputLockedError",
    "PainterError",
    "PartError",
    "Plan",
    "Progress",
    "PromptAt",
    "Recipe",
    "RecipeError",
    "RestyleError",
    "Result",
    "Retiming",
    "Shot",
    "TextPrompt",
    "UnknownPartError",
    "Window",
    "__version__",
    "restyle",
    "retime",
]

_HOMES = {
    "Cancelled": "restyle.errors",
    "Carry": "restyle.types",
    "Control": "restyle.recipe",
    "FootageError": "restyle.errors",
    "FootageSpec": "restyle.types",
    "Frame": "restyle.types",
    "Job": "restyle.job.job",
    "JobError": "restyle.errors",
    "JobLockedError": "restyle.errors",
    "Keyframe": "restyle.types",
    "Layer": "restyle.recipe",
    "MissingExtraError": "restyle.errors",
    "MissingModelError": "restyle.errors",
    "OutputError": "restyle.errors",
    "OutputExistsError": "restyle.errors",
    "OutputLockedError": "restyle.errors",
    "PainterError": "restyle.errors",
    "PartError": "restyle.errors",
    "Plan": "restyle.planning.plan",
    "Progress": "restyle.progress",
    "PromptAt": "restyle.recipe",
    "Recipe": "restyle.recipe",
    "RecipeError": "restyle.errors",
    "RestyleError": "restyle.errors",
    "Result": "restyle.job.job",
    "Retiming": "restyle.retiming.retimer",
    "Shot": "restyle.types",
    "UnknownPartError": "restyle.errors",
    "Window": "restyle.types",
    "TextPrompt": "restyle.types",
    "restyle": "restyle.job.job",
    "retime": "restyle.retiming.retimer",
}


if not typing.TYPE_CHECKING:

    def __getattr__(name):
        """A public name, when it is first asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module 'restyle' has no attribute {name!r}")
        globals()[name] = found = getattr(importlib.import_module(_HOMES[name]), name)
        return found

    def __dir__():
        return sorted({*globals(), *_HOMES})
